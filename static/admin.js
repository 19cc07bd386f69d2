// The admin room. Its views are written by the server, like all pages; here they are fetched and put in place, and what
// people do is sent.
//
//   [data-room]            the room; data-token goes with every deed, data-up leads to where the app is served
//   [data-view]            where the view is, and the address that writes it; links, forms.u-filters and [data-live] work as static/shell.js says
//   button[data-deed]      does something: data-about is the JSON that the deed is told, data-sure a question that is
//                          asked first and answered with a second click within six seconds; nothing moves meanwhile
//   form[data-deed]        does something with its fields: a checkbox is true or false, type=number a number, an empty
//                          field is left out, data-list makes a list of a field's lines, data-bool is true or false by its value
//                          data-wait are words that stand where the outcome will be until it is there
//   template[data-work]    how the jobs stand, for [data-working] in the head
//   template[data-drawn]   what opens beside the view, for [data-beside]: a drawer as static/shell.js has it
//   [data-outcome=NAME]    where what the deed NAME returned as `html` is shown; the button with the same data-step as the
//                          one that was pressed there has the focus then
(() => {
  const room = document.querySelector("[data-room]");
  if (!room) return;
  const up = room.dataset.up || "";
  const view = room.querySelector("[data-view]");
  const said = room.querySelector("[data-said]");
  room.querySelector(".u-sub [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  let arrived = () => {};
  let asked = 0;

  async function refresh(data) {
    const mine = ++asked;
    const answer = await fetch(view.dataset.view + location.search).catch(() => null);
    if (mine !== asked) return;
    if (answer?.status === 401) location.reload();
    const written = answer?.ok ? await answer.text() : null;
    if (mine !== asked) return;
    if (written !== null && !pressed && !view.contains(writing()) && !view.querySelector("[data-asked]")) view.innerHTML = written;
    const work = view.querySelector("template[data-work]"), shown = room.querySelector("[data-working]");
    if (work && shown.innerHTML !== work.innerHTML) shown.innerHTML = work.innerHTML;
    if (laid()) opened();
    view.querySelector("[data-turn]")?.setAttribute("data-turn", data?.turn ?? 0);
    arrived();
  }

  // Neither what somebody is pressing nor a field in which somebody is writing is taken away under their hands.
  let pressed = false;
  view.addEventListener("pointerdown", () => { pressed = true; });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => { pressed = false; }));
  const writing = () => document.activeElement?.closest("form[data-deed]");

  const beside = room.querySelector("[data-beside]");
  let opened = () => {};
  function laid() { // whether there is something new beside the view, or something that was closed is asked for again
    const drawn = view.querySelector("template[data-drawn]");
    if (!beside || !drawn || beside.innerHTML === drawn.innerHTML && document.documentElement.dataset.drawer === "open") return false;
    beside.innerHTML = drawn.innerHTML;
    return true;
  }
  laid();
  if (beside) window.llmuses.drawer(beside, null, (_, then) => { opened = then; });

  window.llmuses.page(view, (_, data) => refresh(data), (_, then) => { arrived = then; });

  let forgets;
  function say(words, bad) { // what went well is said for a while, what went wrong until the next deed
    clearTimeout(forgets);
    if (words && !bad) forgets = setTimeout(() => say(""), 8000);
    said.textContent = words || "";
    said.hidden = !words;
    said.className = "u-note" + (bad ? " err" : "");
    if (bad) said.scrollIntoView({ block: "nearest" });
  }

  async function perform(name, about, source) {
    source.setAttribute("aria-busy", "true");
    source.disabled = true;
    const place = room.querySelector(`[data-outcome="${CSS.escape(name)}"]`);
    if (place && source.dataset.wait) place.textContent = source.dataset.wait;
    let answer, content = {};
    try {
      answer = await fetch(up + "admin/do/" + encodeURIComponent(name), {
        method: "POST",
        headers: { "content-type": "application/json", "x-llmuses-token": room.dataset.token },
        body: JSON.stringify(about),
      });
      content = await answer.json();
    } catch { content = { problem: document.documentElement.dataset.broken }; }
    source.removeAttribute("aria-busy");
    source.disabled = false;
    if (answer?.status === 401) location.reload();
    say(content.problem || content.say, !!content.problem);
    if (place && source.dataset.wait) place.textContent = "";
    if (place && content.html !== undefined) {
      place.innerHTML = content.html;
      const { step } = source.dataset; // who turns over goes on turning over
      if (step) [...place.querySelectorAll("[data-step]")].find((each) => each.dataset.step === step && !each.disabled)?.focus();
    }
    if (content.go) location.assign(content.go);
    else if (!content.problem && content.html === undefined) {
      if (source.form?.contains(document.activeElement)) document.activeElement.blur(); // what was written is sent
      refresh();
    }
  }

  room.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-deed]");
    if (!button || button.form?.dataset.deed && button.type === "submit") return;
    event.preventDefault();
    if (button.dataset.sure && button.dataset.asked === undefined) {
      button.dataset.asked = "";
      say(button.dataset.sure);
      setTimeout(() => {
        if (button.dataset.asked === undefined) return;
        delete button.dataset.asked;
        say("");
      }, 6000);
      return;
    }
    delete button.dataset.asked;
    perform(button.dataset.deed, JSON.parse(button.dataset.about || "{}"), button);
  });

  room.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-deed]");
    if (!form) return;
    event.preventDefault();
    const deed = event.submitter?.dataset.deed || form.dataset.deed;
    perform(deed, fields(form), event.submitter || form.querySelector("button"));
  });

  function fields(form) {
    const found = {};
    for (const field of form.elements) {
      if (!field.name || field.disabled) continue;
      if (field.type === "radio" && !field.checked) continue;
      if (field.dataset.bool !== undefined) { found[field.name] = field.value === "true"; continue; }
      if (field.dataset.many !== undefined) { // one of several check boxes with one name
        found[field.name] ||= [];
        if (field.checked) found[field.name].push(field.value);
      } else if (field.type === "checkbox") found[field.name] = field.checked;
      else if (field.value.trim() === "") continue;
      else if (field.type === "number") found[field.name] = Number(field.value);
      else if (field.dataset.list !== undefined) found[field.name] = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
      else found[field.name] = field.value;
    }
    return found;
  }
})();

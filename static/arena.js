// The battle page around its panes: which mode is seen, the vote slot, the caption, the composer, drawer and keys.
// The markup is arena/live_html.py's; static/arena_room.js has one battle, arena_pane.js one side, arena_api.js the way
// to the server.
(() => {
  const { arenaApi: api, ArenaRoom: Room } = window.llmuses;
  const touch = matchMedia("(hover: none) and (pointer: coarse)");
  const plain = (event) => event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const DRAFT = "llmuses-arena-draft", TERMS = "llmuses-arena-terms";
  const CARDS = 6;

  function arena(main) {
    const frame = main.querySelector(".g-arena");
    const all = (selector) => [...main.querySelectorAll(selector)];
    const one = (selector) => main.querySelector(selector);
    const catalogue = JSON.parse(frame.dataset.words);
    const prompts = JSON.parse(frame.dataset.prompts);
    const words = (name, values = {}) => {
      const sentence = catalogue["say." + name] ?? catalogue[name] ?? name;
      return sentence.replace(/\{(\w+)\}/g, (whole, key) => (values[key] === undefined ? whole : typeof values[key] === "number" ? values[key].toLocaleString("en") : values[key]));
    };
    words.has = (name) => ("say." + name) in catalogue || name in catalogue;

    const composer = one("[data-composer]"), box = one("[data-write]"), send = one("[data-send]"), stop = one("[data-do=stop]");
    const caption = one("[data-caption]"), action = one("[data-caption-action]"), keep = one("[data-caption-keep]");
    const rooms = Object.fromEntries(all("[data-room]").map((element) => [element.dataset.room, new Room(element.dataset.room, element, words, one("template[data-turn]"), show)]));
    let mode = frame.dataset.arena, facts = null, picture = null, editing = false, asking = false, sending = false, doubt = false, wait = 0;
    const still = "still" in frame.dataset;
    let room = rooms[mode];
    if (!room) return; // no model can play here: the page says so

    // --- what is seen follows from how things stand -----------------------------------------------------------

    function show() {
      for (const each of Object.values(rooms)) {
        each.element.hidden = each !== room || each.phase === "start";
        if (each.wait) { hold(each.wait); each.wait = 0; }
      }
      one(".g-start").hidden = room.phase !== "start";
      slot();
      captions();
      compose();
      for (const link of all(".a-modes a")) link.toggleAttribute("aria-current", link.dataset.mode === mode), link.ariaCurrent = link.dataset.mode === mode ? "true" : null;
      for (const element of all("[data-in]")) element.hidden = element.dataset.in !== mode;
    }

    function slot() {
      const closed = still || (facts?.voting === "closed" && mode !== "direct");
      const failed = room.panes.filter((pane) => pane.state === "failed");
      let name = "votes";
      if (room.voted) name = "after";
      else if (room.phase === "start") name = closed ? "closed" : mode === "direct" ? "" : "steps";
      else if (mode === "direct" || closed) name = room.phase === "writing" && closed ? "closed" : "chat";
      else if (room.phase === "rest") name = "failed";
      for (const element of all("[data-slot]")) element.hidden = element.dataset.slot !== name;
      for (const button of all("[data-vote]")) button.disabled = room.phase !== "open";
      for (const button of all("[data-slot=chat] button")) button.disabled = room.busy || !room.battle;
      const which = failed.length === 1 && room.panes.length === 2 ? failed[0].side : room.panes.length === 2 ? "both" : "one";
      one("[data-again]").textContent = words("retry." + which);
      one("[data-slot=failed] [data-do=again]").disabled = !room.battle || (room.ended && ["voted"].includes(room.ended.reason));
      if (room.voted) {
        one("[data-chosen] span").textContent = words("chose." + room.revealed.choice);
        one("[data-do=judge]").disabled = !facts?.judge || room.withdrawn;
      }
    }

    function captions() {
      const trouble = room.trouble;
      let [said, kind, act] = trouble ? [trouble.words, trouble.kind, trouble.action] : [standing(), "", null];
      if (!trouble && room.voted && !room.withdrawn) act = { label: words("withdraw"), run: () => { doubt = true; show(); }, quiet: true };
      if (doubt && room.voted) [said, kind, act] = [words("withdraw.ask"), "warn", { label: words("withdraw"), run: () => { doubt = false; room.withdraw(); } }];
      keep.hidden = !(doubt && room.voted);
      if (caption.textContent !== said) caption.textContent = said;
      caption.parentElement.className = "u-votecap" + (kind ? " a-" + kind : "");
      action.hidden = !act;
      action.textContent = act ? act.label : "";
      action.classList.toggle("a-quiet", Boolean(act?.quiet));
      action.onclick = act ? act.run : null;
    }

    function standing() {
      const phone = innerWidth <= 720;
      if (facts?.loading && room.phase === "start") return words("loading");
      if (room.withdrawn) return words("withdrawn");
      switch (room.phase) {
        case "writing": return mode === "direct" ? "" : room.voted ? words("caption.writing.late") : facts?.voting === "closed" ? words("closed") : words(phone ? "caption.writing.phone" : "caption.writing");
        case "open": return words(room.panes.some((pane) => pane.state === "stopped") ? "caption.stopped" : "caption.open");
        case "voting": return words("caption.voting");
        case "voted": return saved(phone);
        case "rest": return rest();
        default: return "";
      }
    }

    function saved(phone) {
      const { counted, reason, expected } = room.revealed;
      const first = counted ? words("caption.saved") : reason === "side" ? words("caption.kept") : words(words.has("uncounted." + reason) ? "uncounted." + reason : "uncounted.other");
      const more = expected === null || expected === undefined || phone ? "" : " " + words("caption.expected", { percent: Math.round(100 * expected) });
      return first + (document.documentElement.lang.startsWith("zh") ? more.trimStart() : more);
    }

    function rest() {
      const failed = room.panes.filter((pane) => pane.state === "failed");
      if (mode === "direct") return failed.length ? words("caption.failed.direct") : words(room.panes[0].state === "stopped" ? "caption.halted" : "caption.finished");
      if (facts?.voting === "closed") return words("closed");
      if (failed.length === 1) return words("caption.no_vote", { side: failed[0].side.toUpperCase() });
      return words(failed.length ? "caption.no_vote.both" : "refused.not_finished");
    }

    function compose() {
      const left = Math.max(0, Math.ceil((wait - Date.now()) / 1000));
      const long = count();
      stop.hidden = room.phase !== "writing";
      stop.disabled = room.stopping || !room.battle;
      stop.lastElementChild.textContent = catalogue["say.stop." + (mode === "direct" ? "one" : "both")];
      send.hidden = room.phase === "writing";
      send.disabled = room.phase === "voting" || long || left > 0 || still || !facts || facts.loading;
      box.disabled = still;
      send.classList.toggle("primary", room.phase === "start" || room.phase === "writing" || (mode === "direct" && !room.voted));
      send.lastElementChild.textContent = left ? words("seconds", { n: left }) : catalogue["say.send." + (editing ? "edit" : mode === "direct" ? "one" : "both")];
      one("[data-do=unedit]").hidden = !editing;
      box.placeholder = still ? words("still") : words("placeholder." + (editing ? "edit" : room.phase === "writing" ? (mode === "direct" ? "busy.direct" : "busy") : room.voted ? "voted" : room.phase === "open" ? "open" : room.phase === "rest" ? "on" : mode));
      for (const field of all("[data-setting]")) field.disabled = Boolean(room.battle) || room.phase !== "start";
      one("[data-own]").hidden = room.phase !== "start";
      one("[data-locked]").hidden = room.phase === "start";
      one("[data-thumb]").hidden = !picture;
      const seeing = sees();
      one("[data-do=image]").hidden = !facts || !facts.models.some((model) => model.tags.includes("vision"));
      one("[data-do=image]").disabled = !seeing || Boolean(picture);
      one("[data-do=image]").title = seeing ? "" : words("image.blind");
      one("[data-terms]").hidden = !asking;
      one("[data-note]").hidden = asking;
    }

    function count() {
      const most = facts?.limits.prompt_chars || 12000, n = [...box.value].length, label = one("[data-count]");
      const near = n >= 0.9 * most, over = n > most;
      label.textContent = words(over ? "count.over" : near && innerWidth <= 720 ? "count.near" : "count", { n, most, tokens: facts?.limits.max_tokens || 1024 });
      label.className = "sm qq tn a-count" + (over ? " a-over" : near ? " a-near" : "");
      label.setAttribute("role", near ? "status" : "none");
      box.toggleAttribute("aria-invalid", over);
      return over;
    }

    function grow() {
      box.style.height = "";
      if (box.scrollHeight > box.clientHeight) box.style.height = Math.min(box.scrollHeight, touch.matches ? 110 : 176) + "px";
      try { sessionStorage.setItem(DRAFT, box.value); } catch { /* nothing is kept */ }
      compose();
    }

    function write(text) { box.value = text; grow(); }
    function focus() { if (!touch.matches) box.focus({ preventScroll: true }); }

    function hold(until) {
      wait = Math.max(wait, until);
      const tick = () => { compose(); if (Date.now() < wait) setTimeout(tick, 500); else if (room.trouble?.kind === "warn") { room.say(""); show(); } };
      tick();
    }

    // --- sending ----------------------------------------------------------------------------------------------

    const chosen = () => all("[data-choose]").filter((select) => select.closest("[data-in]").dataset.in === mode).map((select) => select.value);
    const sees = () => {
      const tagged = (name) => facts?.models.find((model) => model.name === name)?.tags.includes("vision");
      if (!facts) return false;
      return mode === "battle" ? facts.models.filter((model) => model.tags.includes("vision")).length > 1 : chosen().every(tagged);
    };

    function settings() {
      const given = {};
      for (const field of all("[data-setting]")) if (field.value !== "" && !Number.isNaN(field.valueAsNumber)) given[field.name] = field.valueAsNumber;
      return given;
    }

    async function submit() {
      const prompt = box.value.trim();
      if (!prompt || send.disabled || send.hidden || sending) { if (!prompt) focus(); return; }
      const models = mode === "battle" || room.battle ? null : chosen();
      if (models?.length === 2 && models[0] === models[1]) { room.say(words("same"), "err"); show(); return; }
      const invalid = all("[data-setting]").find((field) => !field.disabled && !field.checkValidity());
      if (invalid) { one(".a-settings").open = true; invalid.reportValidity(); return; }
      if (facts.terms_needed && !agreed() && !asking) { asking = true; show(); one("[data-do=agree]").focus({ preventScroll: true }); return; }
      if (asking) { asking = false; agree(); }
      sending = true;
      const sent = { models, image: picture, edit: editing, settings: settings(), proof: facts.proof };
      const here = room;
      editing = false;
      take(null);
      write("");
      focus();
      const work = here.send(prompt, sent);
      sending = false;
      if (!(await work)) { // nothing came of it: what was written is back in the box
        if (!box.value) { write(prompt); take(sent.image); editing = sent.edit; }
        show();
      }
    }

    let here = false; // agreed on this page, where the browser keeps nothing
    function agreed() { try { return here || localStorage.getItem(TERMS) === "yes"; } catch { return here; } }
    function agree() { here = true; try { localStorage.setItem(TERMS, "yes"); } catch { /* asked again next time */ } }

    function next() {
      if (room.busy) return;
      editing = doubt = false;
      room.fresh();
      fill();
      show();
      focus();
    }

    async function vote(choice) {
      const here = room;
      await here.vote(choice);
      if (here === room && here.voted) one("[data-slot=after] [data-do=next]").focus({ preventScroll: true });
    }

    function go(to, push = true) {
      if (!rooms[to] || to === mode) return;
      mode = to;
      room = rooms[to];
      editing = asking = doubt = false;
      if (push) history.pushState(null, "", one(`.a-modes a[data-mode=${to}]`).href);
      show();
    }

    // --- prompts to begin with ----------------------------------------------------------------------------------

    const seen = new Map(); // how often "other prompts" was asked, by category
    function fill(turn = 0) {
      const category = one("[name=category]:checked")?.value;
      if (!category) return;
      seen.set(category, (seen.get(category) || 0) + turn);
      const at = seen.get(category);
      const kinds = category === "all" ? [...new Set(prompts.map((prompt) => prompt.category))] : [category];
      const by = (kind) => prompts.filter((prompt) => prompt.category === kind);
      const drawn = category === "all"
        ? kinds.map((kind) => by(kind)[at % by(kind).length])
        : by(category).map((_, place, list) => list[(place + at * CARDS) % list.length]);
      const cards = drawn.length > CARDS && category === "all" ? [...drawn.slice(0, CARDS - 1), drawn.at(-1)] : drawn.slice(0, CARDS);
      const page = document.documentElement.lang.slice(0, 2);
      one(".u-prompts").replaceChildren(...cards.map((prompt) => {
        const button = document.createElement("button"), kind = document.createElement("span"), text = document.createElement("div");
        button.type = "button";
        button.dataset.prompt = prompt.text;
        kind.textContent = one(`[name=category][value="${CSS.escape(prompt.category)}"]`).parentElement.textContent;
        text.textContent = prompt.text;
        text.className = "cut2";
        if (prompt.lang !== page) kind.lang = text.lang = prompt.lang;
        button.append(kind, text);
        return button;
      }));
    }

    // --- images ---------------------------------------------------------------------------------------------------

    function take(image) {
      picture = image;
      one("[data-thumb] img").src = image ? image.url : "data:,";
      compose();
    }

    async function add(file) {
      if (!file || picture || !sees()) return;
      const mb = Math.round((facts.limits.image_bytes || 8e6) / 1e6);
      if (!file.type.startsWith("image/") || file.size > facts.limits.image_bytes) { room.say(words("refused.image", { mb }), "err"); return show(); }
      const here = room;
      here.say(words("image.busy"));
      show();
      try { take(await api.upload(file)); here.say(""); } catch (problem) { problem.figures = { mb, ...problem.figures }; here.complain(problem, "other"); }
      show();
    }

    // --- the judge --------------------------------------------------------------------------------------------------

    let open = () => {};
    window.llmuses.drawer(one("[data-drawer-host]"), null, (_, opened) => { open = opened; });

    function drawer(name) {
      for (const element of all("[data-panel]")) element.hidden = element.dataset.panel !== name;
      one(".u-drawer").setAttribute("aria-label", one(`.u-drawer h2[data-panel=${name}]`).textContent);
      open();
    }

    async function judge() {
      const here = room, panel = one(".body [data-panel=judge]");
      const line = (text, name = "p") => Object.assign(document.createElement(name), { textContent: text });
      if (!here.opinion || here.opinion.battle !== here.battle) {
        panel.replaceChildren(line(words("judge.busy")));
        drawer("judge");
        try { here.opinion = { battle: here.battle, ...(await api.post("opinion", { battle: here.battle })) }; } catch (problem) {
          if (here !== room) return;
          here.complain(problem, "other");
          panel.replaceChildren(line(here.trouble.words));
          return show();
        }
      }
      const { orders, verdict, agrees, judge: who } = here.opinion;
      const called = (winner) => words("verdict." + (winner || "none"));
      const torn = orders[0].winner !== orders[1].winner;
      const parts = orders.map((said, place) => {
        const part = document.createElement("section");
        const text = line(said.text, "div");
        text.className = "a-said";
        part.append(line(words("judge.order." + (place + 1), { verdict: called(said.winner) }), "h3"), text);
        return part;
      });
      panel.replaceChildren(Object.assign(line(torn ? words("judge.torn") : words(agrees ? "judge.agrees" : "judge.differs", { verdict: called(verdict) })), { className: "m" }), ...parts, Object.assign(line((who ? who + ". " : "") + words("judge.note")), { className: "sm qq" }));
      drawer("judge");
    }

    // --- what the reader does -------------------------------------------------------------------------------------------

    async function copy(text, button) {
      const label = button.querySelector("[data-words]");
      try { await navigator.clipboard.writeText(text); } catch { room.say(words("uncopied"), "err"); return show(); }
      if (!label) { button.dataset.done = ""; setTimeout(() => delete button.dataset.done, 1600); return; }
      const before = [...label.childNodes];
      label.textContent = words("copied");
      setTimeout(() => label.replaceChildren(...before), 1600);
    }

    const deeds = {
      stop: () => room.stop(),
      again: () => room.again(),
      next,
      judge,
      link: (button) => copy(address(), button),
      copy: (button) => copy(room.panes.find((pane) => pane.element.contains(button)).textOf(button), button),
      edit: () => { editing = true; write(room.prompt); box.focus({ preventScroll: true }); show(); },
      unedit: () => { editing = false; write(""); focus(); show(); },
      agree: () => submit(),
      image: () => one("[data-file]").click(),
    };

    function address() {
      const url = new URL(one(".a-modes a").href);
      url.search = new URLSearchParams({ ...(mode === "battle" ? {} : { mode }), prompt: room.prompt }).toString();
      return url.href;
    }

    main.addEventListener("click", (event) => {
      const target = (selector) => event.target.closest(selector);
      let found;
      if ((found = target(".a-modes a")) && plain(event)) { event.preventDefault(); go(found.dataset.mode); }
      else if ((found = target("[data-prompt]"))) { write(found.dataset.prompt); box.focus({ preventScroll: true }); }
      else if (target("[data-others]")) fill(1);
      else if ((found = target("[data-vote]"))) vote(found.dataset.vote);
      else if ((found = target("[data-open]"))) drawer(found.dataset.open);
      else if (target("[data-thumb] button")) { take(null); focus(); }
      else if ((found = target("[data-do]"))) deeds[found.dataset.do](found);
    });
    keep.addEventListener("click", () => { doubt = false; show(); });
    composer.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
    box.addEventListener("input", () => { if (asking) { asking = false; } grow(); });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return; // Enter also ends the writing of a Chinese word
      if (event.shiftKey || (touch.matches && !event.ctrlKey && !event.metaKey)) return;
      event.preventDefault();
      submit();
    });
    one("[data-file]").addEventListener("change", (event) => { add(event.target.files[0]); event.target.value = ""; });
    box.addEventListener("paste", (event) => { const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/")); if (file) { event.preventDefault(); add(file); } });
    for (const name of ["dragover", "dragleave", "drop"]) {
      composer.addEventListener(name, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        composer.classList.toggle("a-drop", name === "dragover" && sees());
        if (name === "drop") add(event.dataTransfer.files[0]);
      });
    }
    main.addEventListener("change", (event) => {
      if (event.target.name === "category") fill();
      else if (event.target.matches("[data-choose]")) { room.say(""); show(); }
    });
    addEventListener("popstate", () => go(new URLSearchParams(location.search).get("mode") || "battle", false));
    addEventListener("resize", () => captions());

    document.addEventListener("keydown", (event) => {
      if (event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, dialog[open]") || event.metaKey || event.ctrlKey || event.altKey || !main.isConnected) return;
      const votes = all("[data-vote]");
      if (event.key === "?") one(".a-keys").showModal();
      else if ("1234".includes(event.key) && event.key) { if (room.phase === "open" && !event.repeat) vote(votes[event.key - 1].dataset.vote); }
      else if (event.key.toLowerCase() === "n" && room.phase !== "start") next();
      else if (event.key.toLowerCase() === "c") { event.preventDefault(); box.focus({ preventScroll: true }); }
    });

    // --- the beginning ----------------------------------------------------------------------------------------------------

    async function learn(tries = 0) {
      try { facts = await api.get("state"); } catch (problem) {
        room.say(words(problem instanceof api.Broken ? "broken.other" : "refused.unknown", { code: problem.code }), "err", { label: words("try"), run: () => { room.say(""); learn(); } });
        return show();
      }
      for (const select of all("[data-choose]")) offer(select);
      show();
      if (facts.loading) setTimeout(() => learn(tries + 1), Math.min(4000, 500 * (tries + 1)));
    }

    function offer(select) {
      const before = select.value, names = facts.models.map((model) => model.name);
      select.replaceChildren(...names.map((name) => new Option(name, name)));
      if (names.includes(before)) select.value = before;
      else if (select.dataset.choose === "b" && names.length > 1) select.value = names[1];
      select.disabled = !names.length;
    }

    const given = new URLSearchParams(location.search).get("prompt");
    let draft = "";
    try { draft = sessionStorage.getItem(DRAFT) || ""; } catch { /* nothing is kept */ }
    show();
    write((given || draft).slice(0, 20000));
    learn();
    if (!location.hash) focus();
  }

  Object.assign(window.llmuses, {
    arena(element, watch) {
      const begin = () => { const main = element.querySelector("main"); if (main && !main.dataset.begun) { main.dataset.begun = ""; arena(main); } };
      watch("value", begin);
      begin();
    },
  });
})();

// The battle page's composer: what is typed, how long it is, its image, the settings, the terms, and when it may be sent.
// `page` is arena.js's: its room, mode, facts; `page.changed()` shows everything anew, `page.send()` sends.
(() => {
  const { arenaApi: api } = window.llmuses;
  const touch = matchMedia("(hover: none) and (pointer: coarse)");
  const DRAFT = "llmuses-arena-draft", TERMS = "llmuses-arena-terms";
  const kept = (store, name) => { try { return store().getItem(name) || ""; } catch { return ""; } };
  const keep = (store, name, value) => { try { store().setItem(name, value); } catch { /* a browser that keeps nothing */ } };
  const forTab = () => sessionStorage, forGood = () => localStorage;

  class Composer {
    constructor(main, words, page) {
      Object.assign(this, { main, words, page, picture: null, editing: false, asking: false, wait: 0, agreed: kept(forGood, TERMS) });
      this.form = this.one("[data-composer]");
      this.box = this.one("[data-write]");
      this.sending = this.one("[data-send]");
      this.stopping = this.one("[data-do=stop]");
      this.listen();
      this.box.value = kept(forTab, DRAFT);
    }

    one(selector) { return this.main.querySelector(selector); }
    all(selector) { return [...this.main.querySelectorAll(selector)]; }
    get prompt() { return this.box.value.trim(); }
    get left() { return Math.max(0, Math.ceil((this.wait - Date.now()) / 1000)); }
    get invalid() { return this.all("[data-setting]").find((field) => !field.disabled && !field.checkValidity()); }
    focus() { if (!touch.matches) this.box.focus({ preventScroll: true }); } // on a phone it would bring up the keyboard
    write(text) { this.box.value = text; this.grow(); }

    // --- how it looks -------------------------------------------------------------------------------------------

    show() {
      const { room, mode, facts, still } = this.page, one = mode === "direct";
      this.stopping.hidden = room.phase !== "writing";
      this.stopping.disabled = room.stopping || !room.battle;
      this.stopping.lastElementChild.textContent = this.words(one ? "stop.one" : "stop.both");
      this.sending.hidden = room.phase === "writing";
      this.blocked = this.count() || still || room.phase === "voting" || this.left > 0;
      this.sending.disabled = this.blocked || !facts; // while models are loaded it takes a prompt, which waits for them
      this.sending.classList.toggle("primary", !this.asking && (room.phase === "start" || room.phase === "writing" || one)); // what the terms ask comes first
      this.sending.lastElementChild.textContent = this.left ? this.words("seconds", { n: this.left }) : this.words(this.editing ? "send.edit" : one ? "send.one" : "send.both");
      this.one("[data-do=unedit]").hidden = !this.editing;
      this.box.disabled = still;
      this.box.placeholder = this.words(still ? "still" : "placeholder." + this.hint(room, mode));
      for (const field of this.all("[data-setting]")) field.disabled = room.phase !== "start";
      this.one("[data-own]").hidden = room.phase !== "start";
      this.one("[data-locked]").hidden = room.phase === "start";
      this.one("[data-terms]").hidden = !this.asking;
      for (const ask of this.all("[data-ask]")) ask.hidden = (ask.dataset.ask === "changed") !== Boolean(this.agreed); // who accepted others is told why they are asked
      this.one("[data-note]").style.visibility = this.asking ? "hidden" : ""; // it says the same
      this.showImage(facts);
    }

    hint(room, mode) {
      if (this.editing) return "edit";
      switch (room.phase) {
        case "writing": return mode === "direct" ? "busy.direct" : "busy";
        case "open": return "open";
        case "rest": return "on";
        case "start": return mode;
        default: return "voted";
      }
    }

    showImage(facts) {
      const button = this.one("[data-do=image]"), seen = this.page.sees();
      button.hidden = !facts?.models.some((model) => model.tags.includes("vision"));
      button.disabled = !seen || Boolean(this.picture);
      button.title = seen ? "" : this.words("image.blind");
      this.one("[data-thumb]").hidden = !this.picture;
    }

    // Says how long the prompt is, and gives back whether it is too long: in characters as the server counts them.
    count() {
      const limits = this.page.facts?.limits, most = limits?.prompt_chars ?? 12000, n = [...this.box.value].length;
      const near = n >= 0.9 * most, over = n > most, label = this.one("[data-count]");
      label.textContent = this.words(near && innerWidth <= 720 ? "count.near" : over ? "count.over" : "count", { n, most, tokens: limits?.max_tokens ?? 1024 });
      label.className = "sm qq tn a-count" + (over ? " a-over" : near ? " a-near" : "");
      label.ariaLive = near ? "polite" : "off";
      this.box.ariaInvalid = over ? "true" : null;
      return over;
    }

    grow() {
      this.box.style.height = "";
      if (this.box.scrollHeight > this.box.clientHeight) this.box.style.height = Math.min(this.box.scrollHeight, touch.matches ? 96 : 176) + "px";
      keep(forTab, DRAFT, this.box.value);
      this.show();
    }

    // The server said when to come back: until then the button counts down.
    hold(until, done) {
      this.wait = Math.max(this.wait, until);
      const tick = () => { this.show(); if (this.left) setTimeout(tick, 500); else done(); };
      tick();
    }

    // --- what goes with a prompt ------------------------------------------------------------------------------------

    settings() {
      const fields = this.all("[data-setting]").filter((field) => field.value !== "" && !Number.isNaN(field.valueAsNumber));
      return Object.fromEntries(fields.map((field) => [field.name, field.valueAsNumber]));
    }

    // Gives back whether the terms, as they are now, are still to be accepted; then they are shown.
    asks() {
      const { facts } = this.page;
      if (!facts?.terms_needed || this.agreed === facts.terms) return false;
      if (!this.asking) { this.asking = true; this.page.changed(); this.one("[data-do=agree]").focus({ preventScroll: true }); return true; }
      Object.assign(this, { asking: false, agreed: facts.terms });
      keep(forGood, TERMS, facts.terms);
      return false;
    }

    take(image) {
      this.picture = image;
      this.one("[data-thumb] img").src = image ? image.url : "data:,";
      this.show();
    }

    async add(file) {
      if (!file || this.picture || !this.page.sees()) return;
      const { room, facts } = this.page, mb = Math.round(facts.limits.image_bytes / 1e6);
      if (!file.type.startsWith("image/") || file.size > facts.limits.image_bytes) room.say(this.words("refused.image", { mb }), "err");
      else {
        room.say(this.words("image.busy"));
        this.page.changed();
        try { this.take(await api.upload(file)); room.say(""); } catch (problem) { problem.figures = { mb, ...problem.figures }; room.complain(problem, "other"); }
      }
      this.page.changed();
    }

    // Everything that was to be sent, which leaves the composer empty; `restore` puts it back.
    leave() {
      const sent = { prompt: this.prompt, image: this.picture, edit: this.editing, settings: this.settings() };
      this.editing = false;
      this.take(null);
      this.write("");
      return sent;
    }

    restore(sent) {
      if (this.box.value) return;
      this.editing = sent.edit;
      this.take(sent.image);
      this.write(sent.prompt);
    }

    // --- what the reader does ------------------------------------------------------------------------------------------

    listen() {
      const { form, box } = this, file = this.one("[data-file]");
      form.addEventListener("submit", (event) => { event.preventDefault(); this.page.send(); });
      box.addEventListener("input", () => { this.asking = this.page.queued = false; this.grow(); this.page.caption(); });
      box.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return; // Enter also ends the writing of a Chinese word
        if (event.shiftKey || (touch.matches && !event.ctrlKey && !event.metaKey)) return;
        event.preventDefault();
        this.page.send();
      });
      file.addEventListener("change", () => { this.add(file.files[0]); file.value = ""; });
      box.addEventListener("paste", (event) => {
        const image = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
        if (image) { event.preventDefault(); this.add(image); }
      });
      for (const name of ["dragover", "dragleave", "drop"]) {
        form.addEventListener(name, (event) => {
          if (!event.dataTransfer?.types.includes("Files")) return;
          event.preventDefault();
          form.classList.toggle("a-drop", name === "dragover" && this.page.sees());
          if (name === "drop") this.add(event.dataTransfer.files[0]);
        });
      }
    }
  }

  Object.assign(window.llmuses, { ArenaComposer: Composer });
})();

// The battle page around its panes: which mode is seen, the vote slot, the caption, what buttons and keys do. The markup
// is arena/live_html.py's. One battle is arena_room.js, one side of it arena_pane.js, what is typed arena_composer.js, what
// stands beside it arena_beside.js, the way to the server arena_api.js.
(() => {
  const { arenaApi: api, ArenaRoom: Room, ArenaComposer: Composer, ArenaPrompts: Prompts, ArenaDrawer: Drawer } = window.llmuses;
  const plain = (event) => event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const narrow = () => innerWidth <= 720;

  // The words of the page's language: a number is set with its thousands apart.
  function wording(catalogue) {
    const find = (name) => catalogue["say." + name] ?? catalogue[name];
    const set = (value) => (typeof value === "number" ? value.toLocaleString("en") : value);
    const words = (name, values = {}) => (find(name) ?? name).replace(/\{(\w+)\}/g, (whole, key) => (values[key] === undefined ? whole : set(values[key])));
    words.has = (name) => find(name) !== undefined;
    return words;
  }

  class Page {
    constructor(main) {
      this.main = main;
      const frame = this.one(".g-arena"), words = this.words = wording(JSON.parse(frame.dataset.words));
      Object.assign(this, { mode: frame.dataset.arena, still: "still" in frame.dataset, facts: null, doubt: false, queued: false });
      const template = this.one("template[data-turn]");
      this.rooms = Object.fromEntries(this.all("[data-room]").map((element) => [element.dataset.room, new Room(element.dataset.room, element, words, template, () => this.changed())]));
      this.prompts = new Prompts(main);
      this.drawer = new Drawer(main, words);
      this.composer = new Composer(main, words, this);
      this.listen();
      this.changed();
      this.composer.grow();
      this.composer.focus();
      this.learn();
      for (const room of Object.values(this.rooms)) room.restore();
    }

    one(selector) { return this.main.querySelector(selector); }
    all(selector) { return [...this.main.querySelectorAll(selector)]; }
    get room() { return this.rooms[this.mode]; }
    get closed() { return this.still || (this.facts?.voting === "closed" && this.mode !== "direct"); }
    get chosen() { return this.all("[data-choose]").filter((select) => select.closest("[data-in]").dataset.in === this.mode).map((select) => select.value); }

    get ready() { return Boolean(this.facts) && !this.facts.waits_for; }

    sees() {
      const seeing = new Set(this.facts?.models.filter((model) => model.tags.includes("vision")).map((model) => model.name));
      return this.mode === "battle" ? seeing.size > 1 : this.chosen.every((name) => seeing.has(name));
    }

    // --- what is seen follows from how things stand -----------------------------------------------------------------

    changed() {
      const { room } = this;
      for (const each of Object.values(this.rooms)) {
        each.element.hidden = each !== room || each.phase === "start";
        if (each.wait) this.hold(each);
      }
      this.one(".g-start").hidden = room.phase !== "start";
      for (const link of this.all(".a-modes a")) link.ariaCurrent = link.dataset.mode === this.mode ? "true" : null;
      for (const element of this.all("[data-in]")) element.hidden = element.dataset.in !== this.mode;
      this.slot();
      this.caption();
      this.composer.show();
    }

    hold(room) {
      const until = room.wait;
      room.wait = 0;
      this.composer.hold(until, () => { if (room.trouble?.kind === "warn") room.say(""); this.changed(); });
    }

    slot() {
      const { room } = this, failed = room.panes.filter((pane) => pane.state === "failed");
      const name = this.slotName();
      for (const element of this.all("[data-slot]")) element.hidden = element.dataset.slot !== name;
      for (const button of this.all("[data-vote]")) button.disabled = room.phase !== "open";
      for (const button of this.all("[data-slot=chat] button")) button.disabled = room.busy || !room.battle;
      const which = room.panes.length === 1 ? "one" : failed.length === 1 ? failed[0].side : "both";
      this.one("[data-again]").textContent = this.words("retry." + which);
      this.one("[data-slot=failed] [data-do=again]").disabled = !room.battle;
      if (!room.voted) return;
      const [long, short] = this.all("[data-chosen] > span");
      long.textContent = this.words("chose." + room.revealed.choice);
      short.textContent = this.words("chose.short." + room.revealed.choice);
      const judge = this.one("[data-do=judge]"); // an arena without a judge has no such button
      if (judge) judge.disabled = room.withdrawn;
    }

    slotName() {
      const { room, mode } = this;
      if (room.voted) return "after";
      if (room.phase === "start") return this.closed ? "closed" : mode === "direct" ? "" : "steps";
      if (mode === "direct" || this.closed) return this.closed && room.phase === "writing" ? "closed" : "chat";
      return room.phase === "rest" ? "failed" : "votes";
    }

    caption() {
      const { room, words } = this, label = this.one("[data-caption]"), button = this.one("[data-caption-action]");
      let { words: said, kind, action } = room.trouble || { words: this.standing(), kind: "", action: null };
      if (!room.trouble && room.voted && !room.withdrawn) action = { label: words("withdraw"), run: () => { this.doubt = true; this.changed(); }, quiet: true };
      const doubt = this.doubt && room.voted;
      if (doubt) [said, kind, action] = [words(narrow() ? "withdraw.ask.short" : "withdraw.ask"), "warn", { label: words("withdraw"), run: () => { this.doubt = false; room.withdraw(); } }];
      this.one("[data-caption-keep]").hidden = !doubt;
      if (label.textContent !== said) label.textContent = said;
      const spoken = this.one("[data-said]"), heard = this.heard();
      if (spoken.textContent !== heard) spoken.textContent = heard;
      label.closest(".u-votecap").className = "u-votecap" + (kind ? " a-" + kind : "");
      button.hidden = !action;
      button.textContent = action ? action.label : "";
      button.classList.toggle("a-quiet", Boolean(action?.quiet));
      button.onclick = action ? action.run : null;
    }

    // What is seen in the panes and must be heard as well: names after the vote, a model that keeps one waiting.
    heard() {
      const { room, words } = this;
      if (room.voted) return words("heard.names", { a: room.revealed.a.name, b: room.revealed.b.name });
      return room.phase === "writing" && room.late ? this.one(".a-long")?.textContent ?? "" : "";
    }

    standing() {
      const { room, words, mode } = this;
      if (room.withdrawn) return words("withdrawn");
      switch (room.phase) {
        case "start": return this.awaited();
        case "writing": return mode === "direct" || this.closed ? "" : words(room.voted ? "caption.writing.late" : narrow() ? "caption.writing.phone" : "caption.writing");
        case "open": return words(room.panes.some((pane) => pane.state === "stopped") ? "caption.stopped" : narrow() ? "caption.open.phone" : "caption.open");
        case "voting": return words("caption.voting");
        case "voted": return this.saved();
        default: return this.rest();
      }
    }

    // What keeps a prompt from being sent: weights that are loaded, or the way to models that a server runs.
    awaited() {
      const what = this.facts?.waits_for;
      if (!this.queued) return what ? this.words("awaited." + what) : "";
      return this.words("awaited." + (what || "servers") + ".queued");
    }

    saved() {
      const { room, words } = this, { counted, reason, expected, met } = room.revealed;
      const first = words(counted ? "caption.saved" : words.has("uncounted." + reason) ? "uncounted." + reason : "uncounted.other");
      if (narrow()) return first;
      const more = [];
      if (expected !== null && expected !== undefined) more.push(words("caption.expected", { percent: Math.round(100 * expected) }));
      if (met) more.push(words("caption.met", { n: met.n, percent: Math.round(100 * met.share) }));
      return [first, ...more].join(words("between"));
    }

    rest() {
      const { room, words } = this, failed = room.panes.filter((pane) => pane.state === "failed");
      if (this.mode === "direct") return words(failed.length ? "caption.failed.direct" : room.panes[0].state === "stopped" ? "caption.halted" : "caption.finished");
      if (this.closed) return words("caption.closed");
      if (failed.length === 1) return words("caption.no_vote", { side: failed[0].side.toUpperCase() });
      return words(failed.length ? "caption.no_vote.both" : "refused.not_finished");
    }

    // --- what the reader does -----------------------------------------------------------------------------------------

    async send() {
      const { composer, room, words } = this;
      if (!composer.prompt) return composer.focus();
      if (composer.blocked || composer.sending.hidden) return;
      this.queued = !this.ready;
      if (this.queued) { if (composer.asks()) this.queued = false; return this.changed(); } // `learn` sends it then
      const models = this.mode === "battle" || room.battle ? null : this.chosen;
      if (models?.length === 2 && models[0] === models[1]) { room.say(words("same"), "err"); return this.changed(); }
      if (composer.invalid) { this.one(".a-settings").open = true; composer.invalid.reportValidity(); return; }
      if (composer.asks()) return;
      const sent = composer.leave();
      composer.focus();
      const taken = await room.send(sent.prompt, { ...sent, models, proof: this.facts.proof, terms: this.facts.terms });
      if (!taken) composer.restore(sent); // nothing came of it: what was written is back in the box
      if (!taken && room.unagreed) { await this.learn(); composer.asks(); } // the terms changed while the page was open
      if (!taken) this.changed();
    }

    next() {
      if (this.room.busy) return;
      this.composer.editing = this.doubt = false;
      this.room.leave();
      this.prompts.show();
      this.changed();
      this.composer.focus();
    }

    async vote(choice) {
      const { room } = this;
      await room.vote(choice);
      if (room === this.room && room.voted) this.one("[data-slot=after] [data-do=next]").focus({ preventScroll: true });
    }

    go(mode, push = true) {
      if (!this.rooms[mode] || mode === this.mode) return;
      Object.assign(this.composer, { editing: false, asking: false });
      Object.assign(this, { mode, doubt: false, queued: false });
      if (push) history.pushState(null, "", this.one(`.a-modes a[data-mode=${mode}]`).href);
      this.changed();
    }

    async judge() {
      const { room, drawer } = this;
      if (!room.opinion) {
        drawer.say(this.words("judge.busy"));
        drawer.open("judge");
        await room.judge();
        if (room !== this.room || !room.voted) return;
      }
      if (room.opinion) drawer.opinion(room.opinion);
      else drawer.say(room.trouble?.words ?? "");
      drawer.open("judge");
    }

    edit() {
      this.composer.editing = true;
      this.composer.write(this.room.prompt);
      this.composer.box.focus({ preventScroll: true });
    }

    unedit() {
      this.composer.editing = false;
      this.composer.write("");
      this.composer.focus();
    }

    async copy(text, button) {
      const label = button.querySelector("[data-words]");
      try { await navigator.clipboard.writeText(text); } catch { this.room.say(this.words("uncopied"), "err"); return this.changed(); }
      button.dataset.done = "";
      const before = label ? [...label.childNodes] : [];
      if (label) label.textContent = this.words("copied");
      setTimeout(() => { delete button.dataset.done; if (label) label.replaceChildren(...before); }, 1600);
    }

    // The battle's own address, which shows it once it is public.
    async link(button) {
      await this.copy(new URL("battles?" + new URLSearchParams({ arena: "arena-live", id: this.room.id }), document.baseURI).href, button);
      if ("done" in button.dataset) { this.room.say(this.words("linked")); this.changed(); }
    }

    listen() {
      const deeds = {
        stop: () => this.room.stop(),
        again: () => this.room.again(),
        next: () => this.next(),
        judge: () => this.judge(),
        link: (button) => this.link(button),
        copy: (button) => this.copy(this.room.panes.find((pane) => pane.element.contains(button)).textOf(button), button),
        edit: () => this.edit(),
        unedit: () => this.unedit(),
        agree: () => this.send(),
        image: () => this.one("[data-file]").click(),
        unimage: () => { this.composer.take(null); this.composer.focus(); },
        others: () => this.prompts.show(1),
        keep: () => { this.doubt = false; this.changed(); },
      };
      this.main.addEventListener("click", (event) => {
        const found = event.target.closest("[data-do], [data-vote], [data-open], [data-see], [data-prompt], a[data-mode]");
        if (!found) return;
        const { do: deed, vote, open, see, prompt, mode } = found.dataset;
        if (deed) deeds[deed](found);
        else if (vote) this.vote(vote);
        else if (open) this.drawer.open(open);
        else if (see) this.room.pane(see).element.scrollIntoView({ block: "nearest", inline: "start" });
        else if (prompt) { this.composer.write(prompt); this.composer.box.focus({ preventScroll: true }); }
        else if (plain(event)) { event.preventDefault(); this.go(mode); }
      });
      this.main.addEventListener("change", (event) => {
        if (event.target.name === "category") this.prompts.show();
        else if (event.target.matches("[data-choose]")) { this.room.say(""); this.changed(); }
      });
      addEventListener("popstate", () => this.go(new URLSearchParams(location.search).get("mode") || "battle", false));
      addEventListener("resize", () => this.caption());
      document.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
      const elsewhere = "input:not([type=checkbox]):not([type=radio]), textarea, select";
      if (event.target.closest?.(elsewhere) || event.metaKey || event.ctrlKey || event.altKey || event.repeat || !this.main.isConnected || document.querySelector("dialog[open]")) return;
      const { room } = this, key = event.key.toLowerCase();
      if (["1", "2", "3", "4"].includes(key) && room.phase === "open") { event.preventDefault(); this.vote(this.all("[data-vote]")[key - 1].dataset.vote); }
      else if (key === "n" && room.phase !== "start") { event.preventDefault(); this.next(); } // no letter for the box that gets the focus
      else if (key === "c") { event.preventDefault(); this.composer.box.focus({ preventScroll: true }); }
    }

    // --- the beginning --------------------------------------------------------------------------------------------------

    async learn(tries = 0) {
      try { this.facts = await api.get("state"); } catch (problem) {
        this.room.complain(problem, "other", () => { this.room.say(""); this.learn(); });
        return this.changed();
      }
      for (const select of this.all("[data-choose]")) this.offer(select);
      this.one("[data-sign-in]").hidden = this.facts.tier === "login";
      this.changed();
      if (this.queued && this.ready) this.send();
      if (this.facts.waits_for) setTimeout(() => this.learn(tries + 1), Math.min(4000, 500 * (tries + 1)));
    }

    offer(select) {
      const before = select.value, names = this.facts.models.map((model) => model.name);
      select.replaceChildren(...names.map((name) => new Option(name, name)));
      if (names.includes(before)) select.value = before;
      else if (select.dataset.choose === "b" && names.length > 1) select.value = names[1];
      select.disabled = !names.length;
    }
  }

  Object.assign(window.llmuses, {
    arena(element, watch) {
      const begin = () => {
        const main = element.querySelector("#main:has(.g-arena)"); // where nobody can play there is none
        if (!main || main.dataset.begun) return;
        main.dataset.begun = "";
        new Page(main);
      };
      watch("value", begin);
      begin();
    },
  });
})();

// One battle (or chat) and how it stands. It asks the server and changes its panes; what lies around the panes is
// arena.js's affair, which is told by `changed` whenever something else must be shown.
//
//   phase   start     nothing asked yet
//           writing   answers arrive
//           open      the vote is open
//           rest      nothing to vote on: failed, a chat, or ended
//           voting    the vote is on its way
//           voted     names are shown
(() => {
  const { arenaApi: api, ArenaPane: Pane, arenaProof: proof } = window.llmuses;

  // The battle of each mode that this tab had open: a page that is loaded anew goes on with it.
  const KEPT = "llmuses-arena-battle-";
  const remember = (mode, token) => { try { token ? sessionStorage.setItem(KEPT + mode, token) : sessionStorage.removeItem(KEPT + mode); } catch { /* a browser that keeps nothing */ } };
  const remembered = (mode) => { try { return sessionStorage.getItem(KEPT + mode); } catch { return null; } };

  class Room {
    constructor(mode, element, words, template, changed) {
      Object.assign(this, { mode, element, words, changed });
      this.panes = [...element.querySelectorAll(".g-pane")].map((pane) => new Pane(pane, pane.dataset.side, words, template));
      this.fresh();
    }

    fresh() {
      Object.assign(this, { phase: "start", battle: null, revealed: null, late: false, image: null, withdrawn: false, trouble: null, ended: null, stopping: false, prompt: "", opinion: null, wait: 0 });
      this.run = (this.run || 0) + 1; // what still arrives of an earlier battle is not ours
      for (const pane of this.panes) pane.clear();
    }

    // Another battle begins: this one is not gone on with.
    leave() {
      remember(this.mode, null);
      this.fresh();
    }

    // Goes on with the battle that this tab had open before the page was loaded, where the server still has it.
    async restore() {
      const battle = remembered(this.mode), run = this.run;
      if (!battle || this.phase !== "start") return;
      let found;
      try { found = await api.post("again", { battle }); } catch (problem) {
        if (problem instanceof api.Refused && problem.code !== "rate" && problem.code !== "writing") remember(this.mode, null);
        return;
      }
      if (run !== this.run || this.phase !== "start") return; // something was sent meanwhile
      this.battle = battle;
      for (const turn of found.turns) {
        this.prompt = turn.prompt;
        this.image = turn.image ?? null;
        for (const pane of this.panes) {
          pane.begin(turn.prompt, this.image);
          pane.apply(turn[pane.side === "b" ? "b" : "a"]);
          pane.end("", false);
        }
      }
      this.panes.forEach((pane, place) => { if (found.models?.[place]) pane.call(found.models[place]); });
      this.revealed = found.revealed ?? null;
      this.finish(found.ended);
      if (this.revealed) this.uncover();
      this.changed();
    }

    get busy() { return this.phase === "writing" || this.phase === "voting"; }
    get id() { return this.battle.split(".")[0]; }
    get voted() { return Boolean(this.revealed); }
    pane(side) { return this.panes.length === 1 ? this.panes[0] : this.panes[side === "a" ? 0 : 1]; }
    say(words, kind = "", action = null) { this.trouble = words ? { words, kind, action } : null; }

    // Sends a prompt. `given` may hold models, settings, image and edit. Gives back whether the prompt was taken.
    async send(prompt, given) {
      const edit = Boolean(given.edit && this.battle), before = this.picture(edit);
      const image = given.image ?? (edit ? this.image : null); // an edited prompt keeps its image
      for (const pane of this.panes) pane.begin(prompt, image);
      if (given.models) this.panes.forEach((pane, place) => pane.call(given.models[place]));
      const body = { prompt, mode: this.mode, terms: given.terms };
      if (this.battle) body.battle = this.battle;
      else Object.assign(body, { models: given.models || [], settings: given.settings });
      if (given.image) body.image = given.image.image;
      if (edit) body.edit = true;
      const open = async () => {
        if (!this.battle && given.proof) { this.say(this.words("proof")); this.changed(); body.proof = await proof(await api.get("challenge")); this.say(""); }
        return api.events("send", body);
      };
      return this.follow(open, () => Object.assign(this, { prompt, image }), (problem) => { this.back(before); this.complain(problem, "send"); });
    }

    async again() {
      const failed = this.panes.filter((pane) => pane.state === "failed"), before = { phase: this.phase, ended: this.ended };
      return this.follow(
        () => api.events("retry", { battle: this.battle }),
        () => { for (const pane of failed.length ? failed : this.panes) pane.reset(); },
        (problem) => { Object.assign(this, before); this.complain(problem, "other"); },
      );
    }

    // How things stand before a prompt is sent; a turn that is edited is taken out meanwhile.
    picture(edit) {
      return { phase: this.phase, ended: this.ended, panes: this.panes.map((pane) => ({ state: pane.state, turn: edit ? pane.undo() : null })) };
    }

    // Nothing came of a prompt: everything is as it was.
    back({ phase, ended, panes }) {
      Object.assign(this, { phase, ended });
      this.panes.forEach((pane, place) => {
        const { state, turn } = panes[place];
        pane.undo();
        if (turn) pane.chat.append(turn);
        if (!pane.turn) { pane.clear(); return; }
        pane.show(state);
        if (!this.voted) pane.unlock();
      });
    }

    // Opens a stream and follows it. `began` is called with its first event, `failed` where none came.
    async follow(open, began, failed) {
      const run = this.run;
      Object.assign(this, { phase: "writing", ended: null, stopping: false, late: false, unagreed: false });
      this.say("");
      this.changed();
      let begun = false;
      try {
        for await (const { name, data } of await open()) {
          if (run !== this.run) return true;
          if (name === "battle") { begun = true; began(); this.battle = data.battle; remember(this.mode, this.battle); this.changed(); }
          else if (name === "frame") this.frame(data);
          else if (name === "end") { this.finish(data); return true; }
        }
        throw new api.Broken();
      } catch (problem) {
        if (run !== this.run) return true;
        if (begun) this.interrupted();
        else { failed(problem); this.changed(); }
        return begun;
      }
    }

    frame(data) {
      for (const side of ["a", "b"]) if (data[side] && this.pane(side)) this.pane(side).apply(data[side]);
      if (!data.overdue) return;
      this.late = true;
      for (const pane of this.panes) pane.overdue();
      this.changed();
    }

    interrupted() {
      for (const pane of this.panes) { if (["waiting", "thinking", "writing"].includes(pane.state)) pane.show("failed"); pane.end("", false); pane.find(".a-wait").hidden = true; }
      this.phase = this.voted ? "voted" : "rest";
      this.ended = { vote: false, reason: "broken" };
      this.say(this.words("broken"), "err", { label: this.words("try"), run: () => this.again() });
      this.changed();
    }

    finish(ended) {
      this.ended = ended;
      const blind = this.mode === "battle" && !this.voted;
      for (const pane of this.panes) {
        const failed = pane.state === "failed";
        const words = !failed ? "" : !blind ? "pane.failed" : pane.wrote ? "pane.failed.late" : "pane.failed.vote";
        pane.end(words && this.words(words), !this.voted);
        if (failed && blind) pane.sub.textContent = this.words("failed.sub");
        else if (blind) pane.sub.textContent = pane.kept[1];
      }
      this.phase = this.voted ? "voted" : ended.vote ? "open" : "rest";
      this.changed();
    }

    async stop() {
      if (this.phase !== "writing" || !this.battle || this.stopping) return;
      this.stopping = true;
      try { await api.post("stop", { battle: this.battle }); } catch (problem) { this.stopping = false; this.complain(problem, "other"); this.changed(); }
    }

    async vote(choice) {
      if (this.phase !== "open") return;
      const run = this.run;
      this.phase = "voting";
      this.say("");
      this.changed();
      try {
        const { revealed } = await api.post("vote", { battle: this.battle, choice });
        if (run !== this.run) return;
        this.revealed = revealed;
        this.phase = "voted";
        this.uncover();
      } catch (problem) {
        if (run !== this.run) return;
        const over = problem instanceof api.Refused && ["ended", "voted", "closed", "not_finished", "foreign"].includes(problem.code);
        this.phase = over ? "rest" : "open";
        this.complain(problem, "vote", () => this.vote(choice));
      }
      this.changed();
    }

    uncover() {
      const { revealed } = this;
      this.panes.forEach((pane, place) => {
        const side = place ? "b" : "a";
        pane.reveal(revealed[side], revealed.choice === "model_" + side, revealed.moved && revealed.moved[side]);
      });
    }

    // Asks for the judge's opinion, which is kept; what went wrong is said.
    async judge() {
      const run = this.run;
      try {
        const opinion = await api.post("opinion", { battle: this.battle });
        if (run === this.run) this.opinion = opinion;
      } catch (problem) { if (run === this.run) { this.complain(problem, "other"); this.changed(); } }
    }

    async withdraw() {
      const run = this.run;
      try {
        await api.post("withdraw", { battle: this.battle });
        if (run !== this.run) return;
        this.withdrawn = true;
        remember(this.mode, null);
        this.say("");
      } catch (problem) { this.complain(problem, "other"); }
      this.changed();
    }

    complain(problem, what, again = null) {
      if (problem instanceof api.Broken) this.say(this.words("broken." + what), "err", again && { label: this.words("try"), run: again });
      else if (problem instanceof api.Refused) this.refused(problem, again);
      else throw problem;
    }

    refused(problem, again) {
      const seconds = Math.ceil(problem.wait);
      const key = "refused." + problem.code;
      const words = this.words.has(key) ? this.words(key, { ...problem.figures, seconds }) : this.words("refused.unknown", { code: problem.code });
      this.say(words, problem.wait ? "warn" : "err", again && !problem.wait && !["ended", "voted", "closed", "foreign", "not_finished"].includes(problem.code) ? { label: this.words("try"), run: again } : null);
      this.wait = problem.wait ? Date.now() + 1000 * problem.wait : 0;
      this.unagreed = problem.code === "terms";
    }
  }

  Object.assign(window.llmuses, { ArenaRoom: Room });
})();

// What the battle page shows beside a battle: prompts to begin with, and the drawer with the judge's opinion.
(() => {
  const CARDS = 6;
  const line = (text, name = "p", kind = "") => Object.assign(document.createElement(name), { textContent: text, className: kind });

  // The cards of prompts: one of each category, or one category; `others` goes on to the next ones.
  class Prompts {
    constructor(main) {
      this.main = main;
      this.list = JSON.parse(main.querySelector("[data-prompts]").dataset.prompts);
      this.seen = new Map();
    }

    show(turn = 0) {
      const category = this.main.querySelector("[name=category]:checked")?.value;
      if (!category) return;
      const at = (this.seen.get(category) || 0) + turn;
      this.seen.set(category, at);
      const by = (kind) => this.list.filter((prompt) => prompt.category === kind);
      const kinds = [...new Set(this.list.map((prompt) => prompt.category))];
      const all = kinds.map((kind) => by(kind)[at % by(kind).length]);
      const drawn = category !== "all" ? by(category).map((_, place, list) => list[(place + at * CARDS) % list.length])
        : all.length > CARDS ? [...all.slice(0, CARDS - 1), all.at(-1)] : all;
      this.main.querySelector(".u-prompts").replaceChildren(...drawn.slice(0, CARDS).map((prompt) => this.card(prompt)));
    }

    card(prompt) {
      const button = document.createElement("button"), text = line(prompt.text, "div", "cut2");
      const kind = line(this.main.querySelector(`[name=category][value="${CSS.escape(prompt.category)}"]`).parentElement.textContent, "span");
      if (prompt.lang !== document.documentElement.lang.slice(0, 2)) kind.lang = text.lang = prompt.lang;
      button.type = "button";
      button.dataset.prompt = prompt.text;
      button.append(kind, text);
      return button;
    }
  }

  // The drawer of static/shell.js, with one of several panels in it.
  class Drawer {
    constructor(main, words) {
      Object.assign(this, { main, words });
      window.llmuses.drawer(main.querySelector("[data-drawer-host]"), null, (_, opened) => { this.opened = opened; });
      this.panel = main.querySelector(".body [data-panel=judge]");
    }

    open(name) {
      for (const element of this.main.querySelectorAll("[data-panel]")) element.hidden = element.dataset.panel !== name;
      this.main.querySelector(".u-drawer").setAttribute("aria-label", this.main.querySelector(`.u-drawer h2[data-panel=${name}]`).textContent);
      this.opened();
    }

    say(text) { this.panel.replaceChildren(line(text)); }

    opinion({ orders, verdict, agrees, judge }) {
      const called = (winner) => this.words("verdict." + (winner || "none"));
      const torn = orders[0].winner !== orders[1].winner;
      const parts = orders.map((said, place) => {
        const part = document.createElement("section");
        part.append(line(this.words("judge.order." + (place + 1), { verdict: called(said.winner) }), "h3"), line(said.text, "div", "a-said"));
        return part;
      });
      const sum = verdict === null ? "judge.none" : torn ? "judge.torn" : agrees ? "judge.agrees" : "judge.differs";
      this.panel.replaceChildren(line(this.words(sum, { verdict: called(verdict) }), "p", "m"), ...parts, line(judge + ". " + this.words("judge.note"), "p", "sm qq"));
    }
  }

  Object.assign(window.llmuses, { ArenaPrompts: Prompts, ArenaDrawer: Drawer });
})();

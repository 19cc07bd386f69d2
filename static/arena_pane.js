// One side of a battle: its head, and the turns of the conversation under it. Text is only ever put in as text; what is
// put in as markup was written, and made safe, by the server.
(() => {
  const scripts = [["ja", /[\u3040-\u30ff]/], ["ko", /[\uac00-\ud7af]/], ["zh", /[\u3400-\u9fff]/], ["en", /[A-Za-z]/]];
  const page = document.documentElement.lang.slice(0, 2);

  // The language attribute that a text needs beside the page's own; Latin letters are taken for English.
  function language(text) {
    const found = scripts.find(([, letters]) => letters.test(text))?.[0];
    return found && found !== page ? found : "";
  }

  class Pane {
    constructor(element, side, words, template) {
      Object.assign(this, { element, side, words, template });
      this.chat = element.querySelector(".g-chat");
      this.name = element.querySelector(".who");
      this.sub = element.querySelector(".sub");
      this.right = element.querySelector(".a-right");
      this.label = element.getAttribute("aria-label");
      this.kept = [this.name.textContent, this.sub.textContent];
      this.clear();
    }

    get turn() { return this.chat.lastElementChild; }
    find(selector) { return this.turn.querySelector(selector); }

    clear() {
      this.chat.replaceChildren();
      [this.name.textContent, this.sub.textContent] = this.kept;
      this.element.setAttribute("aria-label", this.label);
      this.element.classList.remove("won");
      this.revealed = false;
      this.state = "";
      this.show("");
    }

    // What is known of a model before or without a vote.
    call(name) {
      this.name.textContent = name;
      this.element.setAttribute("aria-label", this.letter() + name);
    }

    letter() { return this.side === "one" ? "" : this.label + ": "; }

    begin(prompt, image) {
      this.lock();
      this.chat.append(this.template.content.cloneNode(true));
      const asked = this.find(".a-asked");
      asked.textContent = prompt;
      const lang = language(prompt);
      if (lang) { asked.lang = lang; this.find(".a-blocks").lang = lang; this.find(".a-thinking").lang = lang; }
      if (image) {
        const shown = this.find(".a-sent");
        Object.assign(shown, { src: image.url, width: image.width, height: image.height, alt: this.words("image.alt"), hidden: false });
      }
      this.reset();
      this.chat.scrollTop = this.turn.previousElementSibling ? this.turn.offsetTop : 0; // read from the prompt on
    }

    // The last turn's answer is asked for again.
    reset() {
      this.find(".a-blocks").replaceChildren();
      this.find(".a-thought").hidden = true;
      this.find(".a-wait").hidden = false;
      this.find(".a-long").hidden = true;
      this.find(".u-note").hidden = true;
      this.find(".a-tools").hidden = true;
      this.show("waiting");
    }

    // Takes the last turn out, and gives it back.
    undo() { const last = this.turn; last?.remove(); return last; }

    apply(change) {
      const blocks = this.find(".a-blocks");
      const first = change.first || 0;
      (change.blocks || []).forEach((html, place) => {
        let block = blocks.children[first + place];
        if (!block) blocks.append(block = document.createElement("div"));
        block.innerHTML = html;
      });
      while (blocks.children.length > (change.of ?? blocks.children.length)) blocks.lastElementChild.remove();
      if (change.thinking) {
        this.find(".a-thinking").innerHTML = change.thinking;
        this.find(".a-thought").hidden = false;
      }
      if (blocks.childElementCount || change.state === "stopped") this.find(".a-wait").hidden = true;
      this.show(change.state, change.reason);
    }

    get wrote() { return Boolean(this.turn && this.find(".a-blocks").childElementCount); }
    textOf(element) { return element.closest(".a-turn").querySelector(".a-blocks").innerText.trim(); }

    overdue() { if (this.state === "waiting") this.find(".a-long").hidden = false; }

    // `thinking` is shown as writing: how long a model thinks must decide no vote.
    show(state) {
      this.state = state;
      this.element.dataset.state = state === "thinking" ? "writing" : state;
      if (this.revealed) return;
      this.right.replaceChildren();
      if (!state) return;
      const live = document.createElement("span");
      live.className = "u-live" + (state === "failed" ? " a-bad" : ["finished", "stopped"].includes(state) ? " done" : "");
      live.textContent = this.words(state === "thinking" ? "writing" : state);
      this.right.append(live);
    }

    // The turn has come to its end: what went wrong is said; `again` says whether it may be edited and asked again.
    end(failure, again) {
      const note = this.find(".u-note");
      note.hidden = !failure;
      if (failure) { note.lastElementChild.textContent = failure; this.find(".a-wait").hidden = true; }
      this.find(".a-tools").hidden = !this.wrote;
      if (again) this.unlock(); else this.lock();
    }

    // The last turn may be edited and asked again; the others may not.
    unlock() { for (const button of this.turn.querySelectorAll("[data-do=edit], [data-do=again]")) button.hidden = false; }
    lock() { for (const button of this.chat.querySelectorAll("[data-do=edit], [data-do=again]")) button.hidden = true; }

    // Who it was: name, where from, how much and how long; its rating, and what one such vote moves.
    reveal(card, won, moved) {
      const say = this.words;
      this.lock();
      this.revealed = true;
      this.element.classList.toggle("won", won);
      if (won) this.element.scrollIntoView({ block: "nearest", inline: "nearest" }); // on a phone one pane is in sight
      this.element.setAttribute("aria-label", this.letter() + card.name);
      const link = document.createElement("a");
      Object.assign(link, { textContent: card.name, href: "model?name=" + encodeURIComponent(card.name), target: "_blank" });
      this.name.replaceChildren(link);
      const where = [card.organisation, card.licence].filter(Boolean).join(" · ");
      const much = [card.tokens && say("tokens", { n: card.tokens.toLocaleString("en") }), card.seconds && say("took", { n: card.seconds.toFixed(1) })];
      const more = document.createElement("span");
      more.className = where ? "g-hide" : "";
      more.textContent = (where ? " · " : "") + much.filter(Boolean).join(" · ");
      this.sub.replaceChildren(where, much.some(Boolean) ? more : "");
      this.right.replaceChildren(this.rating(card), this.moved(card, moved));
    }

    rating(card) {
      const line = document.createElement("div");
      line.className = "who tn";
      if (card.rating === null || card.rating === undefined) { line.textContent = "–"; return line; }
      line.textContent = Math.round(card.rating).toLocaleString("en") + " ";
      if (card.ci) {
        const half = document.createElement("span");
        half.className = "q";
        half.textContent = "±" + Math.round((card.ci[1] - card.ci[0]) / 2);
        line.append(half);
      }
      return line;
    }

    moved(card, moved) {
      const line = document.createElement("div");
      line.className = "sub";
      if (card.rating === null || card.rating === undefined) line.textContent = this.words("unrated");
      else if (moved === null || moved === undefined) line.textContent = "";
      else {
        const size = Math.abs(moved);
        const number = document.createElement("span");
        number.className = moved > 0 ? "u-up" : moved < 0 ? "u-down" : "";
        number.textContent = (moved > 0 ? "+" : moved < 0 ? "−" : "±") + (size >= 1 ? size.toFixed(1) : size >= 0.01 ? size.toFixed(2) : size.toPrecision(1));
        line.append(this.words("your_vote") + " ", number);
      }
      return line;
    }
  }

  Object.assign(window.llmuses, { ArenaPane: Pane });
})();

// What the browse pages need beside static/shell.js: two keys, and places that stay as the reader left them while the
// server writes the next sample.
(() => {
  const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  const open = new Set();   // folds that the reader opened: they stay open from sample to sample
  let list = { keep: "", top: 0 };

  document.addEventListener("keydown", (event) => {
    if (typing(event.target) || event.metaKey || event.ctrlKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "f") {
      const fold = document.querySelector("details[data-fold=examples]");
      if (fold) fold.open = !fold.open;
    } else if (key === "d") {
      document.querySelector("a[data-key=d]")?.click();
    }
  });

  document.addEventListener("toggle", (event) => {
    const name = event.target.dataset?.fold;
    if (name && event.target.isConnected) open[event.target.open ? "add" : "delete"](name);
  }, true);

  document.addEventListener("scroll", (event) => {
    if (event.target.dataset?.keep) list = { keep: event.target.dataset.keep, top: event.target.scrollTop };
  }, true);

  function arrived(page) {
    for (const fold of page.querySelectorAll("details[data-fold]")) if (open.has(fold.dataset.fold) && !fold.open) fold.open = true;
    const scroll = page.querySelector("[data-keep]");
    if (!scroll || scroll.dataset.seen === page.dataset.at) return;
    scroll.dataset.seen = page.dataset.at;
    if (scroll.dataset.keep === list.keep) scroll.scrollTop = list.top;
    const current = scroll.querySelector("[aria-current]");
    if (!current) return;
    const above = current.offsetTop - scroll.offsetTop - scroll.scrollTop, below = above + current.offsetHeight - scroll.clientHeight;
    if (above < 0) scroll.scrollTop += above - 40;
    else if (below > 0) scroll.scrollTop += below + 40;
  }

  function address(page) { // what was asked for was "the next one that ...": the address becomes that of the answer
    const asked = page.dataset.from;
    if (asked && location.search === asked.slice(asked.indexOf("?"))) history.replaceState(null, "", page.dataset.at);
  }

  addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => {
      const page = document.querySelector("[data-at]");
      if (page) { address(page); arrived(page); }
    }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-at", "data-from"] });
  });
})();

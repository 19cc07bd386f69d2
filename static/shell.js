// What all pages share. The state of a page is its address: a link or a filter changes the query string, the server
// writes the page anew for it, and Gradio puts the difference into the document.
//
//   a[data-go]            a link to another state of this page: followed without loading the page again
//   form.u-filters        native fields; a change rewrites the query, fields at their data-default are left out of it.
//                         A checkbox with data-off="NAME" adds its value to NAME (a list) while it is not checked, one
//                         with data-on="NAME" while it is
//   a[data-drawer]        opens the drawer: the link's data-drawer is a query that is merged into the address
//   [data-live="2"]       asks again after so many seconds, for as long as the page holds such an element
//   [data-title]          the document's title
//   [data-copy]           copies the address of this view, or the value of the attribute
//   [data-keys]           opens the dialog of keys, as ? does
//   [data-find]           what the key / goes to;  a[rel=next], a[rel=prev]  what J and K follow
(() => {
  const root = document.documentElement;
  const plain = (event) => event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const show = (query) => history.replaceState(null, "", location.pathname + (query ? "?" + query : "") + location.hash);

  let kept = -1; // which menu is open: it stays so while the boxes in it write the page anew

  // --- one page -----------------------------------------------------------------------------------------------

  function page(element, trigger, watch) {
    let turn = 0, busy = 0, live = 0;

    function ask(quiet = false) {
      clearTimeout(live);
      turn += 1;
      if (!quiet && !busy) {
        const dim = setTimeout(() => element.classList.add("u-busy"), 300);
        const slow = setTimeout(() => slowly(element), 8000);
        busy = () => { clearTimeout(dim); clearTimeout(slow); element.classList.remove("u-busy"); busy = 0; };
      }
      trigger("input", { query: location.search, turn });
      live = setTimeout(again, 10000); // where the answer is lost, ask once more
    }

    function again() {
      if (document.hidden) document.addEventListener("visibilitychange", again, { once: true });
      else if (element.isConnected) ask(true);
    }

    // Where a table is wider than its box: .u-more while there is more to the right, .u-moved while it is scrolled.
    const edges = (box) => {
      box.classList.toggle("u-more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
      box.classList.toggle("u-moved", box.scrollLeft > 0);
    };
    const sizes = new ResizeObserver((changes) => changes.forEach((change) => edges(change.target)));
    element.addEventListener("scroll", (event) => { if (event.target.matches(".u-wide")) edges(event.target); }, true);

    function arrived() {
      if (busy) busy();
      sizes.disconnect();
      for (const box of element.querySelectorAll(".u-wide")) { edges(box); sizes.observe(box); }
      const menu = kept >= 0 && document.querySelectorAll("details.u-menu")[kept];
      if (menu && !menu.open) menu.open = true; // the page as the server writes it has every menu closed
      const titled = element.querySelector("[data-title]");
      if (titled) title(titled.dataset.title);
      element.querySelector("[data-cur]")?.scrollIntoView({ inline: "center", block: "nearest" });
      drawer.mark();
      clearTimeout(live);
      const wait = element.querySelector("[data-live]");
      if (wait) live = setTimeout(again, 1000 * (parseFloat(wait.dataset.live) || 2));
    }

    element.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-go], a[data-drawer]");
      if (!link || !element.contains(link) || !plain(event)) return;
      event.preventDefault();
      if (link.dataset.drawer) {
        drawer.from(link);
        const query = new URLSearchParams(location.search);
        for (const [name, value] of new URLSearchParams(link.dataset.drawer)) query.set(name, value);
        show(query.toString());
        trigger("select", { query: location.search, turn: ++turn });
      } else {
        const url = new URL(link.href);
        for (const [name, value] of drawer.opened()) url.searchParams.set(name, value);
        history.pushState(null, "", url);
        ask();
      }
    });

    element.addEventListener("submit", (event) => event.preventDefault());
    let typing = 0;
    const filtered = (event) => {
      const form = event.target.form; // which a field may name: the form need not be around it
      if (!form?.matches(".u-filters")) return;
      clearTimeout(typing);
      typing = setTimeout(() => { show(query(form)); ask(); }, event.type === "input" && event.target.type === "search" ? 180 : 0);
    };
    element.addEventListener("input", filtered);
    element.addEventListener("change", (event) => { if (event.target.type !== "search") filtered(event); });
    addEventListener("popstate", () => ask());
    watch("value", arrived);
    arrived();
  }

  // The query after a change in a form: what other parts of the page put there stays.
  function query(form) {
    const result = new URLSearchParams(location.search);
    const lists = {};
    for (const field of form.elements) {
      const list = field.dataset.off || field.dataset.on;
      if (list) {
        lists[list] ||= [];
        if (field.checked === !!field.dataset.on) lists[list].push(field.value);
      } else if (field.name) {
        if (field.type === "radio" && !field.checked) continue;
        const value = field.type === "checkbox" ? (field.checked ? field.value : "") : field.value.trim();
        if (value === (field.dataset.default ?? "")) result.delete(field.name);
        else result.set(field.name, value);
      }
    }
    for (const [name, values] of Object.entries(lists)) {
      if (values.length) result.set(name, values.join(","));
      else result.delete(name);
    }
    for (const name of (form.dataset.resets || "").split(" ").filter(Boolean)) result.delete(name);
    return result.toString();
  }

  function slowly(element) {
    if (element.querySelector(":scope > .u-slow")) return;
    const words = document.createElement("div");
    words.className = "u-slow u-note warn";
    words.setAttribute("role", "status");
    words.textContent = root.dataset.slow;
    element.prepend(words);
  }

  // --- the drawer ---------------------------------------------------------------------------------------------

  const drawer = (() => {
    let element = null, opener = null;
    const aside = () => element?.querySelector("aside");
    const clear = () => document.querySelectorAll("td.on").forEach((cell) => cell.classList.remove("on"));
    function mark() {
      clear();
      const key = root.dataset.drawer === "open" ? aside()?.dataset.key : undefined;
      const link = key === undefined ? null : document.querySelector(`a[data-drawer="${CSS.escape(key)}"]`);
      const cell = link?.closest("td");
      cell?.classList.add("on");
      return cell;
    }
    function open() {
      if (!aside()) return close(false);
      root.dataset.drawer = "open";
      aside().inert = false;
      opener ??= document.activeElement; // where no link opened it
      mark()?.scrollIntoView({ inline: "nearest", block: "nearest" });
      aside().focus({ preventScroll: true });
    }
    function close(address = true) {
      if (root.dataset.drawer !== "open") return;
      delete root.dataset.drawer;
      const panel = aside();
      if (panel) {
        panel.inert = true;
        if (address) {
          const query = new URLSearchParams(location.search);
          for (const name of new URLSearchParams(panel.dataset.key).keys()) query.delete(name);
          show(query.toString());
        }
      }
      clear();
      if (opener?.isConnected) opener.focus({ preventScroll: true });
      opener = null;
    }
    return {
      from(link) {
        opener = link;
        clear();
        link.closest("td")?.classList.add("on");
      },
      close,
      mark,
      opened() { return new URLSearchParams((root.dataset.drawer === "open" && aside()?.dataset.key) || ""); },
      attach(host, _trigger, watch) {
        element = host;
        watch("value", open);
        host.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) close(); });
        if (aside()?.dataset.key) open(); // what the address asks for; a drawer without a key waits for its page
      },
    };
  })();

  // --- title, theme, copying, keys ----------------------------------------------------------------------------

  // Gradio sets the document's language to the browser's; the page is written in the reader's.
  const language = root.lang;
  new MutationObserver(() => { if (root.lang !== language) root.lang = language; }).observe(root, { attributes: true, attributeFilter: ["lang"] });

  let wanted = root.dataset.title || document.title;
  function title(words) { wanted = words; if (document.title !== words) document.title = words; }
  addEventListener("DOMContentLoaded", () => {
    // Gradio has one title for all its pages and sets it when it mounts.
    new MutationObserver(() => title(wanted)).observe(document.head, { childList: true, subtree: true, characterData: true });
  });

  async function copy(button) {
    try { await navigator.clipboard.writeText(button.dataset.copy || location.href); } catch { return; }
    const words = button.querySelector("[data-words]") || button;
    const before = words.textContent;
    words.textContent = root.dataset.copied;
    setTimeout(() => { words.textContent = before; }, 1600);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) window.llmuses.switchTheme();
    if (event.target.closest("[data-keys]")) (document.querySelector("dialog.a-keys") || document.querySelector("dialog.u-keys")).showModal();
    if (event.target.matches("dialog.u-keys")) event.target.close(); // beside it
    const button = event.target.closest("[data-copy]");
    if (button) { event.preventDefault(); copy(button); }
    const language = event.target.closest("a[data-lang]");
    if (language && plain(event)) { // keep the view as it is now
      const query = new URLSearchParams(location.search);
      query.set("lang", language.hreflang);
      language.search = query.toString();
    }
    const inside = event.target.closest("details.u-menu");
    const menus = [...document.querySelectorAll("details.u-menu")];
    for (const menu of menus) if (menu !== inside) menu.open = false;
    if (event.target.closest("details.u-menu > summary")) kept = inside.open ? -1 : menus.indexOf(inside);
    else if (!inside && event.target.isConnected) kept = -1;
  });

  // Words that their box cuts off are said whole under the pointer, where no other label is.
  const cutOff = (element) => {
    const { textOverflow, webkitLineClamp } = getComputedStyle(element);
    return (textOverflow === "ellipsis" && element.scrollWidth > element.clientWidth) || (webkitLineClamp !== "none" && element.scrollHeight > element.clientHeight + 1);
  };
  let labelled = null;
  document.addEventListener("pointerover", ({ target }) => {
    labelled?.removeAttribute("title"); // its words may be others by now
    labelled = null;
    for (let box = target, up = 0; box && up < 4; box = box.parentElement, up++) {
      if (box.title) return;
      if (!cutOff(box)) continue;
      labelled = box;
      box.title = box.textContent.trim();
      return;
    }
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      if (document.querySelector("dialog[open]")) return; // which closes itself
      const menu = document.querySelector("details.u-menu[open]");
      if (menu) { kept = -1; menu.open = false; menu.querySelector("summary").focus(); }
      else if (typing) event.target.blur();
      else drawer.close();
      return;
    }
    if (typing || event.metaKey || event.ctrlKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "?") document.querySelector("dialog.u-keys")?.showModal();
    else if (event.key === "/") {
      const field = [...document.querySelectorAll("[data-find]")].filter((f) => f.offsetParent).pop();
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    } else if ("jJkK".includes(event.key)) {
      const next = event.key.toLowerCase() === "j";
      const link = document.querySelector(next ? "a[rel=next]" : "a[rel=prev]");
      if (link) link.click(); else row(next ? 1 : -1, event);
    }
  });

  // J and K without pages to turn: the next and the previous row of the table that has the focus, or of the first one.
  function row(step, event) {
    const active = document.activeElement?.closest("tbody tr");
    const table = active?.closest("table") || document.querySelector("main table, .u-page table");
    const links = [...(table?.querySelectorAll("tbody tr") || [])].map((tr) => tr.querySelector("a[href]")).filter(Boolean);
    const at = active ? links.indexOf(active.querySelector("a[href]")) + step : (step > 0 ? 0 : links.length - 1);
    if (links[at]) { event.preventDefault(); links[at].focus(); }
  }

  Object.assign(window.llmuses, { page, drawer: drawer.attach });
})();

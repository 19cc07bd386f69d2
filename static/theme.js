// Runs before the first paint: the theme chosen by hand, else the system's. Gradio puts the class `dark` on the body by
// its own rule, once when it mounts and whenever the system changes; ours is put back before the browser paints.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const asked = new URLSearchParams(location.search).get("__theme");
  let here = null; // the choice in a browser that keeps nothing
  const saved = () => { try { return localStorage.getItem("llmuses-theme") || here; } catch { return here; } };
  const dark = () => {
    const wish = asked || saved();
    return wish === "dark" || (wish !== "light" && system.matches);
  };
  const apply = () => {
    for (const element of [document.documentElement, document.body]) {
      if (element && element.classList.contains("dark") !== dark()) element.classList.toggle("dark", dark());
    }
  };
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("DOMContentLoaded", () => {
    apply();
    new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  });
  window.llmuses = {
    switchTheme() {
      here = dark() ? "light" : "dark";
      try { localStorage.setItem("llmuses-theme", here); } catch { /* nothing is kept: the choice lasts for this page */ }
      if (asked) { // the address outranks what was saved: let go of it
        const url = new URL(location); url.searchParams.delete("__theme"); location.replace(url); return;
      }
      apply();
    },
  };
})();

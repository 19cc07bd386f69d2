// Draws every [data-figure] with Plotly, which is loaded when the first one is there. Colours are names of tokens.css: what
// the theme has for them is put in, and the figures are drawn again when it changes.
(() => {
  const root = document.documentElement;
  const settings = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };
  let script = null, templates = null, wide = new ResizeObserver((changes) => changes.forEach((c) => fit(c.target)));

  function load(page) {
    script ||= new Promise((done, failed) => {
      const tag = document.createElement("script");
      tag.src = page.dataset.plotly; tag.onload = done; tag.onerror = failed;
      document.head.append(tag);
    });
    templates ||= fetch(page.dataset.template).then((answer) => answer.json());
    return Promise.all([script, templates]).then(([, both]) => both);
  }

  const dark = () => document.body.classList.contains("dark");

  function coloured(value, style) {
    if (typeof value === "string") {
      const name = /^var\((--u-[\w-]+)\)$/.exec(value);
      return name ? style.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((each) => coloured(each, style));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, style)]));
    return value;
  }

  // What a phone has no room for: long names, labels beside points, more than a few columns. The table below has it all.
  function narrow({ data, layout }, width) {
    if (width >= 480) return { data, layout };
    const cut = (name) => (name.length > 18 ? name.slice(0, 17) + "…" : name);
    const cutBefore = (name) => { const [words, number] = name.split("  <b>"); return `${cut(words)}  <b>${number}`; };
    const few = (row) => row.slice(0, 7);
    const slim = data.map((trace) => trace.type === "heatmap"
      ? { ...trace, x: few(trace.x), y: few(trace.y).map(cutBefore), z: few(trace.z).map(few), text: few(trace.text).map(few), customdata: few(trace.customdata).map(few) }
      : { ...trace, mode: trace.mode === "markers+text" ? "markers" : trace.mode });
    const ticks = layout.yaxis?.ticktext;
    return { data: slim, layout: ticks ? { ...layout, yaxis: { ...layout.yaxis, ticktext: ticks.map(cut) } } : layout };
  }

  async function draw(place) {
    const page = place.closest("[data-plotly]");
    if (!page) return;
    const both = await load(page).catch(() => null);
    if (!both || !place.isConnected) return;
    const style = getComputedStyle(document.body);
    const template = both[dark() ? "dark" : "light"];
    const figure = narrow(coloured(JSON.parse(place.dataset.figure), style), place.clientWidth);
    for (const trace of figure.data) {
      if (trace.colorscale === "sequential") trace.colorscale = template.layout.colorscale.sequential;
    }
    place.drawn = key(place);
    const layout = { ...figure.layout, template, autosize: true, dragmode: false };
    await window.Plotly.react(place, figure.data, layout, settings);
    wide.observe(place);
  }

  function fit(place) {
    if (window.Plotly && place.querySelector(".plot-container") && place.clientWidth) window.Plotly.Plots.resize(place);
  }

  const key = (place) => place.dataset.figure + dark();
  const isEmpty = (place) => !place.querySelector(".plot-container");

  // A page that is written anew leaves its figures' places as the server wrote them: empty, though their figure is the same.
  function look() {
    for (const place of document.querySelectorAll("[data-figure]")) {
      if (place.drawing || (place.drawn === key(place) && !isEmpty(place)) || place.failed === key(place)) continue;
      if (isEmpty(place) && window.Plotly) window.Plotly.purge(place);
      const started = key(place);
      place.drawing = true;
      place.failed = null;
      draw(place).catch((problem) => { place.failed = started; throw problem; }).finally(() => {
        place.drawing = false;
        if (place.drawn && !place.failed) look(); // it may have changed meanwhile
      });
    }
  }

  addEventListener("DOMContentLoaded", () => {
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "data-figure"] });
    look();
  });
})();

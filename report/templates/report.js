"use strict";
// The page is whole without this: it makes tables sort and filter, draws figures that answer to a pointer or to keys,
// opens folds that a link leads into, and filters documents. Libraries lie packed in the page until they are needed.
(() => {
  const page = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  const libraries = new Map();

  function library(name) {
    if (!libraries.has(name)) libraries.set(name, unpack(name));
    return libraries.get(name);
  }

  async function unpack(name) {
    const packed = atob(document.getElementById(`library-${name}`).textContent);
    const bytes = new Uint8Array(packed.length);
    for (let place = 0; place < packed.length; place++) bytes[place] = packed.charCodeAt(place);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script); // It runs at once: the page's policy knows its hash, and no other's.
  }

  function whenNear(elements, act) {
    const seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries.filter((one) => one.isIntersecting)) {
          seen.unobserve(entry.target);
          act(entry.target);
        }
      },
      { rootMargin: "600px" },
    );
    elements.forEach((element) => seen.observe(element));
  }

  // Tables

  const sorted = new Map();

  function byNumber(sign) {
    // What has no number comes last, whichever way it is sorted.
    return (a, b) => {
      if (a === "" || b === "") return (a === "") - (b === "");
      return sign * (a - b);
    };
  }

  async function enhance(table) {
    await library("tables");
    const DataTable = globalThis.itables.default;
    DataTable.ext.errMode = "throw";
    DataTable.ext.type.order["figures-asc"] = byNumber(1);
    DataTable.ext.type.order["figures-desc"] = byNumber(-1);
    const region = table.parentElement;
    const heads = [...table.tHead.rows[0].cells];
    const paged = Number(table.dataset.page || 0);
    const made = new DataTable(table, {
      autoWidth: false,
      order: [],
      paging: paged > 0,
      pageLength: paged || 10,
      searching: table.hasAttribute("data-filter"),
      info: paged > 0,
      columnDefs: [
        { targets: heads.flatMap((head, place) => (head.classList.contains("number") ? [place] : [])), type: "figures" },
      ],
      language: { search: "Filter", zeroRecords: "No row matches.", info: "_START_ to _END_ of _TOTAL_", infoFiltered: "(of _MAX_)", infoEmpty: "no row" },
      layout: {
        topStart: table.hasAttribute("data-filter") ? "search" : null,
        topEnd: paged ? "info" : null,
        bottomStart: null,
        bottomEnd: paged ? "paging" : null,
      },
    });
    sorted.set(table, made);
    // What scrolls sideways is now the table alone, without its filter.
    for (const name of ["role", "aria-label", "tabindex"]) {
      table.parentElement.setAttribute(name, region.getAttribute(name));
      region.removeAttribute(name);
    }
  }

  // Figures

  const drawn = new Map();

  function theme() {
    const style = getComputedStyle(page);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("soft"), tickfont: { color: colour("soft") } };
    return {
      layout: {
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("ink") },
        xaxis: axis,
        yaxis: axis,
        hoverlabel: { bgcolor: colour("raised"), bordercolor: colour("soft"), font: { color: colour("ink") }, align: "left", namelength: -1 },
      },
      data: { heatmap: [{ colorscale: [[0, colour("heat-low")], [1, colour("heat-high")]], colorbar: { tickcolor: colour("soft") } }] },
    };
  }

  async function draw(figure) {
    await library("plots");
    const { data, layout } = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    const plot = figure.querySelector(".plot");
    const update = () => {
      const touch = matchMedia("(pointer: coarse)").matches;
      const config = { displayModeBar: false, responsive: true, doubleClick: "reset", showTips: false };
      return globalThis.Plotly.react(plot, data, { ...layout, dragmode: touch ? false : "zoom", template: theme() }, config);
    };
    plot.hidden = false;
    plot.tabIndex = 0;
    figure.classList.add("drawn");
    await update();
    drawn.set(figure, update);
    hearKeys(figure, plot, data);
    all(".legend button", figure).forEach((button) => button.addEventListener("click", () => toggle(plot, button)));
  }

  function toggle(plot, button) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    globalThis.Plotly.restyle(plot, { visible: on }, button.dataset.traces.split(" ").map(Number));
  }

  function places(data) {
    return data.flatMap((trace, curveNumber) => {
      if (trace.hoverinfo === "skip" || trace.meta === "seeds") return [];
      if (trace.z) {
        return trace.z.flatMap((row, y) => row.flatMap((value, x) => (value === null ? [] : [{ curveNumber, xval: x, yval: y }])));
      }
      const values = trace.orientation === "h" ? trace.x : trace.y;
      return values.flatMap((value, pointNumber) => (value === null ? [] : [{ curveNumber, pointNumber }]));
    });
  }

  function hoverText(plot) {
    const lines = all(".hoverlayer .hovertext tspan.line, .hoverlayer .hovertext text:not(:has(tspan.line))", plot);
    return lines.map((line) => line.textContent).filter(Boolean).join(", ");
  }

  function hearKeys(figure, plot, data) {
    const points = places(data);
    const said = figure.querySelector(".said");
    let at = -1;
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") globalThis.Plotly.Fx.unhover(plot);
      if (!step || !points.length) return;
      event.preventDefault();
      at = at < 0 && step < 0 ? points.length - 1 : (at + step + points.length) % points.length;
      globalThis.Plotly.Fx.hover(plot, [points[at]]);
      setTimeout(() => (said.textContent = hoverText(plot)), 100); // plotly waits a little between two of them.
    });
    plot.addEventListener("blur", () => globalThis.Plotly.Fx.unhover(plot));
  }

  // Folds

  function unfold(target) {
    const inner = target?.querySelector(":scope > details");
    if (inner) inner.open = true;
    for (let fold = target?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }

  function follow() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    unfold(target);
    target?.scrollIntoView();
  }

  function closeMenu(event) {
    if (event.target.closest("a")) event.currentTarget.open = false;
  }

  function aroundPrint() {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = all("details:not([open])").filter((fold) => !fold.closest(".menu, .numbers"));
      opened.forEach((fold) => (fold.open = true));
      page.classList.remove("enhanced");
      sorted.forEach((table) => table.page.len(-1).draw());
    });
    addEventListener("afterprint", () => {
      opened.forEach((fold) => (fold.open = false));
      page.classList.add("enhanced");
      sorted.forEach((table, element) => table.page.len(Number(element.dataset.page || -1)).draw());
    });
  }

  // Documents

  function filterable(browser) {
    const controls = browser.querySelector(".controls");
    const [words, rows, count] = ["input", "select", "output"].map((name) => controls.querySelector(name));
    const cards = all(".card", browser).map((card) => ({ card, text: card.textContent.toLowerCase(), wrong: card.dataset.wrong.split(" ") }));
    const apply = () => {
      const wanted = words.value.trim().toLowerCase();
      const row = rows?.value ?? "";
      for (const { card, text, wrong } of cards) card.hidden = !text.includes(wanted) || (row !== "" && !wrong.includes(row));
      count.textContent = `${cards.filter(({ card }) => !card.hidden).length} of ${cards.length}`;
    };
    controls.hidden = false;
    controls.addEventListener("input", apply);
    apply();
  }

  // Contents

  function markCurrent() {
    const links = new Map(all(".side a").map((link) => [link.hash.slice(1), link]));
    const shown = new Set();
    const seen = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) shown[isIntersecting ? "add" : "delete"](target.id);
        const current = [...links.keys()].filter((name) => shown.has(name)).at(-1);
        links.forEach((link, name) => link.toggleAttribute("aria-current", name === current));
      },
      { rootMargin: "-10% 0px -80% 0px" },
    );
    links.forEach((_, name) => {
      const target = document.getElementById(name);
      if (target) seen.observe(target);
    });
  }

  function start() {
    whenNear(all("table.live"), (table) => enhance(table).catch(giveUp));
    let turn = Promise.resolve(); // One after the other: each measures what it has just drawn.
    whenNear(all("figure"), (figure) => (turn = turn.then(() => draw(figure)).catch(giveUp)));
    all(".browser").forEach(filterable);
    all(".menu details").forEach((menu) => menu.addEventListener("click", closeMenu));
    markCurrent();
    aroundPrint();
    dark.addEventListener("change", () => drawn.forEach((update) => update()));
    addEventListener("hashchange", follow);
    if (location.hash) follow();
  }

  function giveUp(error) {
    page.classList.remove("enhanced"); // All rows and the images show again.
    throw error;
  }

  if (!globalThis.DecompressionStream) return;
  page.classList.add("enhanced"); // Before the first long table is read: its later rows are never laid out.
  addEventListener("DOMContentLoaded", start);
})();

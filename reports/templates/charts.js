"use strict";
(() => {
  // Each chart takes its plot's place once it is drawn; until then, and on paper, the plot is shown.
  // `ast`: expressions are interpreted, for the page's policy allows no eval.
  const options = { actions: false, ast: true, renderer: "svg", tooltip: { theme: "custom" }, logLevel: 1 };
  const marks = (chart) => [...chart.querySelectorAll(".points_marks > path")];
  const datum = (mark) => mark.__data__.datum;
  const open = (chart, mark) =>
    chart.dispatchEvent(new CustomEvent("reveal", { bubbles: true, detail: datum(mark).anchor }));

  // One stop of the Tab key a chart; in it the arrow keys go from point to point, Enter opens the row.
  const keyboard = (chart, view) => {
    const told = (mark, value) => {
      const box = mark.getBoundingClientRect();
      const at = { clientX: box.right, clientY: box.top };
      view.tooltip()(undefined, at, mark.__data__, value);
    };
    const enter = (at) => marks(chart).forEach((mark, n) => mark.setAttribute("tabindex", n === at ? "0" : "-1"));
    enter(0);
    chart.addEventListener("keydown", (event) => {
      const all = marks(chart);
      const at = all.indexOf(document.activeElement);
      if (at < 0) return;
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
      if (event.key in to) {
        const next = Math.min(Math.max(to[event.key], 0), all.length - 1);
        enter(next);
        all[next].focus();
      } else if (event.key === "Enter" || event.key === " ") {
        open(chart, all[at]);
      } else if (event.key === "Escape") {
        told(all[at], null);
      } else return;
      event.preventDefault();
    });
    chart.addEventListener("focusin", (event) => {
      if (event.target.__data__) told(event.target, event.target.__data__.tooltip);
    });
    chart.addEventListener("focusout", (event) => {
      if (event.target.__data__) told(event.target, null);
    });
  };

  for (const script of document.querySelectorAll("script[data-chart]")) {
    const figure = document.querySelector(`figure[data-figure="${script.dataset.chart}"]`);
    const chart = document.createElement("div");
    chart.className = "chart";
    chart.setAttribute("role", "group");
    const title = figure.firstElementChild.getAttribute("aria-label");
    chart.setAttribute("aria-label", `${title}. Arrow keys go through the points, Enter opens the row.`);
    figure.append(chart);
    vegaEmbed(chart, JSON.parse(script.textContent), options).then(({ view }) => {
      view.addEventListener("click", (event, item) => {
        if (item && item.datum && item.datum.anchor) {
          chart.dispatchEvent(new CustomEvent("reveal", { bubbles: true, detail: item.datum.anchor }));
        }
      });
      figure.classList.add("live");
      keyboard(chart, view);
    }, (error) => { chart.remove(); console.warn(`The chart ${script.dataset.chart} stays a plot: ${error.message}`); });
  }
})();

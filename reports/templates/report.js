"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const field = (id) => document.getElementById(id);

  // Sorting: numbers by value, texts by the reader's alphabet, missing values last either way.
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, undefined, { numeric: true }) : x - y;
  };
  const close = (row) => {
    const detail = row.nextElementSibling;
    if (detail && detail.classList.contains("opened")) detail.remove();
    const button = row.querySelector(".open");
    if (button) button.setAttribute("aria-expanded", "false");
  };
  const sort = (header) => {
    const table = header.closest("table");
    const body = table.tBodies[0];
    const column = header.cellIndex;
    const down = header.getAttribute("aria-sort") === "ascending";
    all("th", table.tHead).forEach((th) => th.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].filter((row) => !row.classList.contains("opened"));
    const opened = new Map(rows.map((row) => [row, row.nextElementSibling]));
    const key = (row) => row.cells[column].dataset.sort;
    rows.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      return down ? compare(y, x) : compare(x, y);
    });
    for (const row of rows) {
      const detail = opened.get(row);
      body.append(row);
      if (detail && detail.classList.contains("opened")) body.append(detail);
    }
  };

  const details = new Map(all("template[data-detail]").map((t) => [t.dataset.detail, t]));
  const toggle = (row) => {
    const button = row.querySelector(".open");
    if (button.getAttribute("aria-expanded") === "true") return close(row);
    const template = details.get(row.dataset.row);
    if (!template) return;
    const detail = document.createElement("tr");
    detail.className = "opened";
    const cell = detail.insertCell();
    cell.colSpan = row.cells.length;
    cell.append(template.content.cloneNode(true));
    row.after(detail);
    button.setAttribute("aria-expanded", "true");
  };

  // A row from elsewhere on the page: shown whatever the filters say, opened, and the focus in it.
  const reveal = (anchor, near) => {
    const found = all("tr[data-row]").filter((r) => r.dataset.row === anchor && r.querySelector(".open"));
    const row = found.find((r) => near.contains(r)) || found[0];
    if (!row) return;
    ["filter", "configuration", "status"].forEach((id) => { if (row.hidden && field(id)) field(id).value = ""; });
    if (row.hidden) filter();
    const button = row.querySelector(".open");
    if (button.getAttribute("aria-expanded") !== "true") toggle(row);
    button.focus({ preventScroll: true });
    row.scrollIntoView({ block: "start" });
  };
  document.addEventListener("reveal", (event) => reveal(event.detail, event.target.closest("section")));

  const filter = () => {
    const words = field("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const configuration = field("configuration") ? field("configuration").value : "";
    const status = field("status").value;
    for (const row of all("tr[data-row]")) {
      const text = row.textContent.toLowerCase();
      const shown = words.every((word) => text.includes(word))
        && (!configuration || !row.dataset.configuration || row.dataset.configuration === configuration)
        && (!status || row.dataset.status === status);
      row.hidden = !shown;
      if (!shown) close(row);
    }
    for (const card of all(".card")) {
      card.hidden = Boolean(configuration) && card.dataset.configuration !== configuration;
    }
    for (const block of all("[data-block]")) {
      const rows = all("tr[data-row]", block);
      const none = rows.length > 0 && rows.every((row) => row.hidden);
      block.querySelector(".none").hidden = !none;
      block.querySelector(".scroll").hidden = none;
    }
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest("button");
    if (target && target.classList.contains("sort")) sort(target.closest("th"));
    if (target && target.classList.contains("open")) toggle(target.closest("tr"));
  });
  ["filter", "configuration", "status"].forEach((id) => {
    if (field(id)) field(id).addEventListener("input", filter);
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing) { event.preventDefault(); field("filter").focus(); }
    if (event.key === "Escape" && document.activeElement === field("filter")) {
      field("filter").value = "";
      filter();
    }
  });

  const themes = ["", "light", "dark"];
  const names = { "": "as the system", light: "light", dark: "dark" };
  field("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % themes.length];
    if (next) root.dataset.theme = next; else delete root.dataset.theme;
    field("theme").setAttribute("aria-label", `Colours: ${names[next]}`);
  });
})();

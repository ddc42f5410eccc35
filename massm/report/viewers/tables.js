// Tables whose rows a click on a column's name sorts, and whose models can be chosen.
document.querySelectorAll("table[data-sort]").forEach((table) => {
  const heads = [...table.tHead.rows[0].cells];
  const best = "moreIsBetter" in table.dataset ? "descending" : "ascending";
  const other = { ascending: "descending", descending: "ascending" };
  const sort = (column, direction) => {
    const sign = direction === "ascending" ? 1 : -1;
    const value = (row) => {
      const text = row.cells[column].dataset.value;
      return text === undefined ? Infinity : sign * Number(text); // what has none comes last
    };
    for (const body of table.tBodies) {
      if (body.classList.contains("bounds")) continue; // these stay where they are
      body.append(...[...body.rows].sort((a, b) => value(a) - value(b)));
    }
    heads.forEach((head, n) => {
      if (n === column) head.setAttribute("aria-sort", direction);
      else head.removeAttribute("aria-sort");
    });
  };
  heads.forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      sort(column, now === best ? other[best] : best);
    });
  });
});

// One choice of models for all tables of the page.
const hiddenModels = new Set();
const modelsChosen = []; // called after each choice
const choosers = [...document.querySelectorAll("[data-models]")];
const showModels = () => {
  document.querySelectorAll("[data-model]").forEach((row) => {
    row.hidden = hiddenModels.has(row.dataset.model);
  });
  for (const input of choosers.flatMap((box) => [...box.querySelectorAll("input")])) {
    input.checked = !hiddenModels.has(input.value);
  }
  for (const call of modelsChosen) call();
};
choosers.forEach((box) => {
  const inputs = [...box.querySelectorAll("input")];
  const choose = (input, on) => {
    if (on) hiddenModels.delete(input.value); else hiddenModels.add(input.value);
  };
  inputs.forEach((input) => input.addEventListener("change", () => {
    choose(input, input.checked);
    showModels();
  }));
  box.querySelectorAll("button").forEach((button) => button.addEventListener("click", () => {
    inputs.forEach((input) => choose(input, Boolean(button.dataset.every)));
    showModels();
  }));
});

// Short cells, or all that is known of each.
const briefs = [...document.querySelectorAll("[data-brief]")];
briefs.forEach((input) => input.addEventListener("change", () => {
  briefs.forEach((same) => { same.checked = input.checked; });
  document.querySelectorAll("table.many").forEach((table) => {
    table.classList.toggle("brief", !input.checked);
  });
}));

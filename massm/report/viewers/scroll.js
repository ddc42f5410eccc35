// A CT to scroll through, with outlines.
viewers.scroll = (box, view) => {
  const space = "http://www.w3.org/2000/svg";
  const svg = (tag, attributes) => {
    const node = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const names = Object.keys(view.colors);
  const hidden = new Set();
  const fill = (group, paths, color) => {
    group.replaceChildren(...names.filter((n) => paths[n]).map((n) =>
      svg("path", color ? { d: paths[n], stroke: view.colors[n] } : { d: paths[n] })));
  };
  const plane = (name) => {
    const [width, height] = view.size[name];
    const image = make("img", { alt: `${name} slice`, width, height });
    const over = svg("svg", { viewBox: `0 0 ${width} ${height}` });
    const predicted = svg("g", { class: "predicted" });
    const truth = svg("g", { class: "true" });
    const cursor = svg("line", { class: "cursor", x1: 0, x2: width, y1: -9, y2: -9 });
    over.append(predicted, truth, cursor);
    const node = make("div", { class: "plane" }, image, over, make("span", { text: name }));
    const show = (slice) => {
      image.src = slice.picture;
      fill(predicted, hidden.has("predicted") ? {} : slice.predicted, true);
      fill(truth, hidden.has("true") ? {} : slice.true, false);
    };
    return { node, show, cursor };
  };
  const axial = plane("axial"), coronal = plane("coronal"), sagittal = plane("sagittal");
  let at = view.start;
  const label = make("span", {});
  const show = () => {
    const slice = view.axial[at];
    axial.show(slice);
    coronal.show(view.coronal);
    sagittal.show(view.sagittal);
    const y = (view.top - slice.position) / view.pixel;
    for (const side of [coronal, sagittal]) {
      side.cursor.setAttribute("y1", y);
      side.cursor.setAttribute("y2", y);
    }
    label.textContent = `z = ${slice.position.toFixed(0)} mm`;
  };
  const range = make("input", {
    type: "range", min: 0, max: view.axial.length - 1, step: 1, value: at,
    "aria-label": "axial slice", oninput: () => { at = Number(range.value); show(); },
  });
  const toggle = (key, text) => {
    const input = make("input", { type: "checkbox", checked: "", onchange: () => {
      if (input.checked) hidden.delete(key); else hidden.add(key);
      show();
    } });
    return make("label", {}, input, text);
  };
  const widths = ["axial", "coronal", "sagittal"].map((n) => view.size[n][0] / view.size[n][1]);
  const grid = make("div", { class: "grid" }, axial.node, coronal.node, sagittal.node);
  grid.style.gridTemplateColumns = widths.map((w) => `${w.toFixed(3)}fr`).join(" ");
  axial.node.addEventListener("wheel", (event) => {
    event.preventDefault();
    at = Math.min(view.axial.length - 1, Math.max(0, at - Math.sign(event.deltaY)));
    range.value = at;
    show();
  }, { passive: false });
  const legend = make("div", { class: "legend" }, ...names.map((n) => {
    const line = make("i", {});
    line.style.borderColor = view.colors[n];
    return make("span", {}, line, view.names[n] ?? n);
  }), make("span", {}, make("i", { class: "dashed" }), "segmentation"));
  const row = make("div", { class: "slider" }, make("span", { text: "Axial slice" }), range, label);
  box.append(grid, row,
    make("div", { class: "controls" }, toggle("predicted", "prediction"), toggle("true", "segmentation")),
    legend);
  show();
};

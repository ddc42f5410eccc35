// A CT to scroll through, with outlines. With `picked`, a set of names, each line can be shown or not.
viewers.scroll = (box, view, picked = null) => {
  const lines = Object.entries(view.lines);
  const hidden = new Set();
  const outline = (group, paths) => {
    group.replaceChildren(...lines.filter(([n]) => paths[n] && (!picked || picked.has(n))).map(
      ([n, line]) => svg("path", { d: paths[n], stroke: line.color, "stroke-dasharray": line.dashes })));
  };
  const outlineTrue = (group, paths) => {
    group.replaceChildren(...Object.values(paths).map((d) => svg("path", { d })));
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
      outline(predicted, hidden.has("predicted") ? {} : slice.predicted);
      outlineTrue(truth, hidden.has("true") ? {} : slice.true);
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
  const pick = (name, line) => {
    const input = make("input", { type: "checkbox", onchange: () => {
      if (input.checked) picked.add(name); else picked.delete(name);
      show();
    } });
    input.checked = picked.has(name);
    return make("label", {}, input, sample(line), line.label);
  };
  const legend = make("div", { class: "legend" },
    ...lines.map(([n, line]) => picked ? pick(n, line) : make("span", {}, sample(line), line.label)),
    make("span", {}, make("i", { class: "dashed" }), "segmentation"));
  const row = make("div", { class: "slider" }, make("span", { text: "Axial slice" }), range, label);
  box.append(grid, row,
    make("div", { class: "controls" }, ...(picked ? [] : [toggle("predicted", "prediction")]), toggle("true", "segmentation")),
    legend);
  show();
};

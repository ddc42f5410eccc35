// One anatomy of one subject, several models: surfaces that turn together, outlines on the CT.
viewers.compare = (box, view) => {
  const names = Object.keys(view.anatomies);
  const state = { anatomy: names[0], number: 0, frame: "local", seen: false };
  const camera = { azimuth: 12, elevation: 10, zoom: 1 };
  const picked = new Set(view.picked);
  let machine = null;

  const anatomyOf = () => view.anatomies[state.anatomy];
  const caseOf = () => anatomyOf().cases[state.number];
  const choices = (entries, now, choose) => entries.map(([key, text]) => make("button", {
    type: "button", text, "aria-pressed": String(key === now()), "data-key": key,
    onclick: () => { choose(key); build(); },
  }));
  const group = (label, buttons) =>
    make("div", { class: "controls", role: "group", "aria-label": label }, make("span", { text: `${label}:` }), ...buttons);

  const select = make("select", { onchange: () => {
    state.anatomy = select.value;
    state.number = 0;
    build();
  } }, ...names.map((name) => make("option", { value: name, text: view.anatomies[name].label })));
  const controls = make("div", {});
  const stage = make("div", {
    class: "turned", tabindex: 0, role: "group",
    "aria-label": "Surfaces: arrow keys turn all of them, plus and minus change their size",
  });
  const key = make("div", { class: "scalebar" });
  const caption = make("div", { class: "caption3d", "aria-live": "polite" });
  const ct = make("div", { class: "slices" });
  box.append(
    make("div", { class: "controls" }, make("label", {}, "Anatomy:", select)),
    controls, caption, stage, key, ct,
  );

  const turns = [["front", 0, 8], ["left", 90, 8], ["back", 180, 8], ["right", -90, 8], ["top", 0, 89]];
  let pictures = [];
  const build = () => {
    const [anatomy, shown] = [anatomyOf(), caseOf()];
    const frames = Object.entries(view.frames).filter(([frame]) =>
      view.methods.some((m) => m.frame === frame && m.key in shown.errors));
    if (!frames.some(([frame]) => frame === state.frame)) state.frame = frames[0][0];
    controls.replaceChildren(
      group("Subject", choices(anatomy.cases.map((c, n) => [n, `${c.rank}: ${c.subject}`]),
        () => state.number, (n) => { state.number = n; })),
      ...(frames.length > 1 ? [group("Frame", choices(frames, () => state.frame, (f) => { state.frame = f; }))] : []),
      group("View", turns.map(([text, azimuth, elevation]) => make("button", {
        type: "button", text, onclick: () => { Object.assign(camera, { azimuth, elevation, zoom: 1 }); draw(); },
      }))),
    );
    caption.textContent = shown.words;
    pictures = view.methods.filter((m) => m.frame === state.frame && m.key in shown.distances).map((m) => {
      const canvas = make("canvas", { "aria-hidden": "true" });
      const error = shown.errors[m.key];
      const distance = shown.distances[m.key];
      const words = distance === null ? "missed" : `${distance.toFixed(2)} mm`;
      const node = make("figure", { "data-model": m.model }, canvas,
        make("figcaption", {}, make("b", {}, sample(m), m.label), make("span", { text: words })));
      if (distance === null) node.classList.add("lacking");
      const found = error && Float32Array.from(new Uint16Array(bytes(error)), (x) => x / 100);
      return { canvas, node, error: found };
    });
    stage.replaceChildren(...pictures.map(({ node }) => node));
    key.replaceChildren(
      make("span", { text: "0" }), make("i", {}), make("span", { text: `${anatomy.limit} mm and more` }),
      make("span", { class: "words", text: "distance to the prediction" }));
    key.querySelector("i").style.background = `linear-gradient(90deg, ${data.colors.error.join(", ")})`;
    ct.replaceChildren();
    if (shown.ct) viewers.scroll(ct, shown.ct, picked);
    showModels();
    if (machine) machine.load(shown.true);
    draw();
  };

  let waiting = false;
  const draw = () => {
    if (waiting || !machine) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      for (const { canvas, node, error } of pictures) {
        if (!node.hidden && error) machine.draw(canvas, error, anatomyOf().limit, camera);
      }
    });
  };
  const turnBy = (x, y) => {
    camera.azimuth -= x;
    camera.elevation = Math.min(89.9, Math.max(-89.9, camera.elevation + y));
    draw();
  };
  const zoomBy = (factor) => {
    camera.zoom = Math.min(6, Math.max(0.4, camera.zoom * factor));
    draw();
  };
  let last = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.target.tagName !== "CANVAS") return;
    event.target.setPointerCapture(event.pointerId);
    last = [event.clientX, event.clientY];
  });
  stage.addEventListener("pointermove", (event) => {
    if (!last) return;
    turnBy(0.5 * (event.clientX - last[0]), 0.5 * (event.clientY - last[1]));
    last = [event.clientX, event.clientY];
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { last = null; });
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    zoomBy(Math.exp(-0.004 * event.deltaY));
  }, { passive: false });
  stage.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] };
    const zooms = { "+": 1.2, "=": 1.2, "-": 1 / 1.2 };
    if (event.key in steps) turnBy(...steps[event.key]);
    else if (event.key in zooms) zoomBy(zooms[event.key]);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(draw).observe(stage);
  modelsChosen.push(draw);
  build();
  whenSeen(box, () => {
    if (state.seen) return;
    state.seen = true;
    machine = turntable(data.colors.error);
    if (!machine) {
      stage.replaceChildren(make("p", { class: "empty", text: "This browser shows no WebGL; the same pictures are in figures/." }));
      return;
    }
    machine.load(caseOf().true);
    draw();
  }, () => {});
};

// Surfaces that turn, colored by their error.
viewers.cases = (box, anatomy) => {
  let chosen = Math.max(0, anatomy.cases.findIndex((c) => c.rank === "median"));
  let overlay = false;
  const stage = make("div", { class: "stage3d" });
  const caption = make("div", { class: "caption3d" });
  const buttons = anatomy.cases.map((c, n) => make("button", {
    type: "button", text: c.rank, onclick: () => { chosen = n; draw(); },
  }));
  const check = make("input", {
    type: "checkbox", onchange: () => { overlay = check.checked; draw(); },
  });
  box.append(
    make("div", { class: "controls" }, ...buttons, make("label", {}, check, "show the prediction")),
    stage, caption,
  );
  const traces = ([{ points: _, ...mesh }, predicted]) => {
    const c = anatomy.cases[chosen];
    const list = [{
      ...mesh, ...light, intensity: floats(c.error), cmin: 0, cmax: anatomy.limit,
      colorscale: scale(data.colors.error), colorbar: bar("mm"), flatshading: false,
      opacity: overlay ? 0.6 : 1, hovertemplate: "%{intensity:.2f} mm<extra></extra>",
    }];
    if (overlay) {
      const { points: __, ...other } = predicted;
      list.push({ ...other, ...light, color: "#0072B2", opacity: 0.4, hoverinfo: "skip" });
    }
    return list;
  };
  let live = false;
  const draw = () => {
    const c = anatomy.cases[chosen];
    buttons.forEach((b, n) => b.classList.toggle("on", n === chosen));
    caption.textContent = `Subject ${c.subject}: mean surface distance ${c.distance.toFixed(2)} mm`;
    if (!live) return;
    const camera = stage.layout?.scene?.camera;
    const plan = layout();
    const origin = middle(c.true);
    const shown = (overlay ? [c.true, c.predicted] : [c.true]).map((mesh) => surface(mesh, origin));
    const both = shown.map((mesh) => extent(mesh.points));
    place(plan, [0, 1, 2].map((k) => [
      Math.min(...both.map((b) => b[k][0])), Math.max(...both.map((b) => b[k][1])),
    ]));
    if (camera) plan.scene.camera = camera;
    Plotly.react(stage, traces(shown), plan, settings);
  };
  draw();
  whenSeen(box, () => { live = true; draw(); }, () => { live = false; Plotly.purge(stage); });
};

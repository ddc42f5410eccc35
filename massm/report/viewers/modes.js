// Shape modes moved by sliders.
viewers.modes = (box, view) => {
  const { points, ...mesh } = surface(view.mean, middle(view.mean));
  const moves = view.modes.map((m) => floats(m.move));
  const outward = view.modes.map((m) => floats(m.outward));
  const amounts = view.modes.map(() => 0);
  const stage = make("div", { class: "stage3d" });
  const outputs = [];
  const rows = view.modes.map((m, n) => {
    const output = make("output", { text: "0.0 SD" });
    outputs.push(output);
    const input = make("input", {
      type: "range", min: -view.range, max: view.range, step: 0.1, value: 0,
      "aria-label": `mode ${n + 1}`,
      oninput: () => { amounts[n] = Number(input.value); request(); },
    });
    return make("div", { class: "slider" },
      make("span", { text: `Mode ${n + 1} (${Math.round(100 * m.share)} %)` }), input, output);
  });
  const reset = make("button", {
    type: "button", text: "back to the mean",
    onclick: () => {
      amounts.fill(0);
      box.querySelectorAll("input").forEach((input) => { input.value = 0; });
      request();
    },
  });
  box.append(stage, ...rows, make("div", { class: "controls" }, reset));
  const shaped = () => {
    const moved = points.slice();
    const along = new Float32Array(points.length / 3);
    amounts.forEach((amount, n) => {
      if (!amount) return;
      for (let i = 0; i < moved.length; i++) moved[i] += amount * moves[n][i];
      for (let i = 0; i < along.length; i++) along[i] += amount * outward[n][i];
    });
    return { x: axis(moved, 0), y: axis(moved, 1), z: axis(moved, 2), intensity: along };
  };
  let live = false;
  let waiting = false;
  // The box of all ends of all modes: the picture must not zoom while the shape moves.
  const fixed = [0, 1, 2].map((k) => {
    let low = Infinity, high = -Infinity;
    for (let i = k; i < points.length; i += 3) {
      const reach = view.range * Math.max(...moves.map((m) => Math.abs(m[i])));
      low = Math.min(low, points[i] - reach);
      high = Math.max(high, points[i] + reach);
    }
    return [low, high];
  });
  const draw = () => {
    waiting = false;
    outputs.forEach((o, n) => {
      o.textContent = `${amounts[n] > 0 ? "+" : ""}${amounts[n].toFixed(1)} SD`;
    });
    if (!live) return;
    const plan = layout();
    place(plan, fixed);
    const camera = stage.layout?.scene?.camera;
    if (camera) plan.scene.camera = camera;
    Plotly.react(stage, [{
      ...mesh, ...light, ...shaped(), cmin: -view.limit, cmax: view.limit,
      colorscale: scale(data.colors.change), colorbar: bar("mm outward"),
      hovertemplate: "%{intensity:.2f} mm<extra></extra>",
    }], plan, settings);
  };
  const request = () => {
    if (!waiting) { waiting = true; requestAnimationFrame(draw); }
  };
  whenSeen(box, () => { live = true; draw(); }, () => { live = false; Plotly.purge(stage); });
};

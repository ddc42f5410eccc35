"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "text") node.textContent = value;
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  };
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const floats = (text) => new Float32Array(bytes(text));
  const axis = (points, k) => {
    const out = new Float32Array(points.length / 3);
    for (let i = 0; i < out.length; i++) out[i] = points[3 * i + k];
    return out;
  };
  // Around the origin: elsewhere Plotly's light does not reach what the camera sees.
  const surface = (mesh, origin) => {
    const points = floats(mesh.points).map((value, n) => value - origin[n % 3]);
    const faces = new (mesh.wide ? Uint32Array : Uint16Array)(bytes(mesh.faces));
    return {
      type: "mesh3d", points,
      x: axis(points, 0), y: axis(points, 1), z: axis(points, 2),
      i: faces.filter((_, n) => n % 3 === 0),
      j: faces.filter((_, n) => n % 3 === 1),
      k: faces.filter((_, n) => n % 3 === 2),
    };
  };
  const scale = (colors) => colors.map((color, n) => [n / (colors.length - 1), color]);
  const light = {
    lighting: { ambient: 0.62, diffuse: 0.55, specular: 0.08, roughness: 0.7, fresnel: 0.05 },
    lightposition: { x: 0, y: 0, z: 0 }, // at the camera
  };
  // Sides of the box in proportion, the longest always 1: whatever its shape, an organ fits.
  const proportion = (ranges) => {
    const sides = ranges.map(([low, high]) => high - low);
    const [x, y, z] = sides.map((side) => side / Math.max(...sides));
    return { x, y, z };
  };
  const extent = (points) => [0, 1, 2].map((k) => {
    let low = Infinity, high = -Infinity;
    for (let i = k; i < points.length; i += 3) {
      low = Math.min(low, points[i]);
      high = Math.max(high, points[i]);
    }
    const margin = 0.02 * (high - low);
    return [low - margin, high + margin];
  });
  const middle = (mesh) => extent(floats(mesh.points)).map(([low, high]) => (low + high) / 2);
  const place = (plan, ranges) => {
    ["xaxis", "yaxis", "zaxis"].forEach((name, k) => { plan.scene[name].range = ranges[k]; });
    plan.scene.aspectratio = proportion(ranges);
  };
  const layout = () => {
    const none = { visible: false, showspikes: false };
    return {
      margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)",
      font: { family: "inherit", size: 11, color: "#5d6875" },
      scene: {
        xaxis: { ...none }, yaxis: { ...none }, zaxis: { ...none }, aspectmode: "manual",
        camera: { eye: { x: -0.34, y: -1.7, z: 0.42 }, up: { x: 0, y: 0, z: 1 } },
        dragmode: "orbit",
      },
      showlegend: false, hoverlabel: { bgcolor: "#fff", font: { color: "#1d2733" } },
    };
  };
  const settings = { displayModeBar: false, responsive: true, scrollZoom: true };
  const bar = (title) => ({
    title: { text: title, side: "right", font: { size: 11 } }, thickness: 9, len: 0.75,
    outlinewidth: 0, tickfont: { size: 10 },
  });

  // A page may hold only so many live 3D pictures: each is made when it comes into view and given
  // back when it is far away.
  const whenSeen = (node, show, hide) => {
    let live = false;
    new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting && !live) { live = true; show(); }
        else if (!entry.isIntersecting && live) { live = false; hide(); }
      }
    }, { rootMargin: "250px 0px" }).observe(node);
  };

  const errorViewer = (box) => {
    const organ = data.organs[box.dataset.organ];
    let chosen = Math.max(0, organ.cases.findIndex((c) => c.rank === "median"));
    let overlay = false;
    const stage = make("div", { class: "stage3d" });
    const caption = make("div", { class: "caption3d" });
    const buttons = organ.cases.map((c, n) => make("button", {
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
      const c = organ.cases[chosen];
      const list = [{
        ...mesh, ...light, intensity: floats(c.error), cmin: 0, cmax: organ.limit,
        colorscale: scale(data.error_colors), colorbar: bar("mm"), flatshading: false,
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
      const c = organ.cases[chosen];
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

  const modesViewer = (box) => {
    const view = data.modes[box.dataset.modes];
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
        colorscale: scale(data.change_colors), colorbar: bar("mm outward"),
        hovertemplate: "%{intensity:.2f} mm<extra></extra>",
      }], plan, settings);
    };
    const request = () => {
      if (!waiting) { waiting = true; requestAnimationFrame(draw); }
    };
    whenSeen(box, () => { live = true; draw(); }, () => { live = false; Plotly.purge(stage); });
  };

  const scroller = (box) => {
    const view = data.scroll;
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

  document.querySelectorAll("[data-tabs]").forEach((tabs) => {
    const buttons = [...tabs.querySelectorAll("button")];
    buttons.forEach((button) => button.addEventListener("click", () => {
      buttons.forEach((other) => {
        const on = other === button;
        other.classList.toggle("on", on);
        other.setAttribute("aria-selected", on);
        document.getElementById(other.dataset.tab).classList.toggle("on", on);
      });
    }));
  });
  const links = new Map([...document.querySelectorAll(".bar a")].map((a) => [a.hash.slice(1), a]));
  const marks = new IntersectionObserver((entries) => {
    for (const entry of entries) links.get(entry.target.id)?.classList.toggle("here", entry.isIntersecting);
  }, { rootMargin: "-45% 0px -50% 0px" });
  document.querySelectorAll("section").forEach((section) => marks.observe(section));

  document.querySelectorAll("[data-organ]").forEach(errorViewer);
  document.querySelectorAll("[data-modes]").forEach(modesViewer);
  if (data.scroll) scroller(document.getElementById("scroll"));
})();

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
  const meshOf = (packed) => {
    const places = new Uint16Array(bytes(packed.points));
    const points = Float32Array.from(places, (place, n) =>
      packed.low[n % 3] + packed.extent[n % 3] * place / 65535);
    return { points, faces: new (packed.wide ? Uint32Array : Uint16Array)(bytes(packed.faces)) };
  };
  const organs = data.organs.map((organ) => ({
    ...organ, ...meshOf(organ),
    radii: organ.band && Float32Array.from(new Uint16Array(bytes(organ.band.radius)), (r) => r / 100),
  }));
  const field = meshOf(data.field);

  const { size, low, pitch, tile, columns } = data.brick;
  const high = low.map((start, k) => start + (size[k] - 1) * pitch);
  const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
  const start = () => {
    if (!organs.length) return low.map((x, k) => (x + high[k]) / 2);
    // Where most organs are cut: try the middle of each.
    const boxes = organs.map(({ points }) => [0, 1, 2].map((k) => {
      let a = Infinity, b = -Infinity;
      for (let i = k; i < points.length; i += 3) { a = Math.min(a, points[i]); b = Math.max(b, points[i]); }
      return [a, b];
    }));
    return [0, 1, 2].map((k) => {
      const crossed = (x) => boxes.filter((box) => box[k][0] < x && x < box[k][1]).length;
      const depth = (x) => boxes.reduce((sum, box) =>
        sum + Math.max(0, Math.min(x - box[k][0], box[k][1] - x) / (box[k][1] - box[k][0])), 0);
      let best = 0, where = low[k];
      for (let x = low[k]; x <= high[k]; x += pitch) {
        const score = crossed(x) + depth(x);
        if (score > best) { best = score; where = x; }
      }
      return where;
    });
  };
  const state = { at: start(), hidden: new Set(), gray: null, bands: true };

  // Gray values: the codes of the brick bend Hounsfield units; a window straightens them.
  const { center, width, low: lowest, high: highest } = data.curve;
  const ends = [lowest, highest].map((hu) => Math.asinh((hu - center) / width));
  const unbent = (code) =>
    center + width * Math.sinh(ends[0] + (Math.max(code, 1) - 1) / 254 * (ends[1] - ends[0]));
  const windows = [["Soft tissue", 40, 400], ["Bone", 500, 2000], ["Lung", -550, 1500]];
  const grays = windows.map(([, level, wide]) => Uint8ClampedArray.from({ length: 256 }, (_, code) =>
    code === 0 ? 0 : 255 * (unbent(code) - level + wide / 2) / wide));
  state.gray = grays[0];

  let codes = null;
  const sheet = new Image();
  sheet.onload = () => {
    const canvas = make("canvas");
    canvas.width = sheet.naturalWidth;
    canvas.height = sheet.naturalHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(sheet, 0, 0);
    const [w, h, d] = size;
    codes = new Uint8Array(w * h * d);
    for (let z = 0; z < d; z++) {
      const part = context.getImageData(
        (z % columns) * tile[0], Math.floor(z / columns) * tile[1], w, h).data;
      for (let i = 0, to = z * w * h; i < w * h; i++) codes[to + i] = part[4 * i];
    }
    draw();
  };

  const PLANES = [
    { name: "Axial", fixed: 2, right: 0, down: 1, sign: 1, marks: ["R", "L", "A", "P"], letter: "z" },
    { name: "Coronal", fixed: 1, right: 0, down: 2, sign: -1, marks: ["R", "L", "S", "I"], letter: "y" },
    { name: "Sagittal", fixed: 0, right: 1, down: 2, sign: -1, marks: ["A", "P", "S", "I"], letter: "x" },
  ];

  const segments = (mesh, k, position, each) => {
    const { points, faces, radii } = mesh;
    const ends3 = [];
    for (let f = 0; f < faces.length; f += 3) {
      const corners = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]];
      const above = corners.map((c) => points[c + k] >= position);
      if (above[0] === above[1] && above[1] === above[2]) continue;
      ends3.length = 0;
      let radius = 0;
      for (let i = 0; i < 3; i++) {
        const a = corners[i], b = corners[(i + 1) % 3];
        if (above[i] === above[(i + 1) % 3]) continue;
        const t = (position - points[a + k]) / (points[b + k] - points[a + k]);
        ends3.push([0, 1, 2].map((m) => points[a + m] + t * (points[b + m] - points[a + m])));
        if (radii) radius += (radii[a / 3] + t * (radii[b / 3] - radii[a / 3])) / 2;
      }
      each(ends3[0], ends3[1], radius);
    }
  };

  const fitted = (canvas) => {
    const ratio = window.devicePixelRatio || 1;
    const w = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const h = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    return ratio;
  };

  const flatView = (plane) => {
    const { fixed, right, down, sign } = plane;
    const canvas = make("canvas", { tabindex: 0, "aria-label": `${plane.name} slice with outlines` });
    const slider = make("input", {
      type: "range", min: 0, max: size[fixed] - 1, step: 1, "aria-label": `${plane.name} slice`,
      oninput: () => { state.at[fixed] = low[fixed] + Number(slider.value) * pitch; draw(); },
    });
    const output = make("output", {});
    const node = make("div", { class: "view flat" }, canvas,
      make("span", { class: "title", text: plane.name }), make("div", { class: "row" }, slider, output));
    const picture = make("canvas");
    picture.width = size[right];
    picture.height = size[down];
    const inner = picture.getContext("2d");
    const image = inner.createImageData(size[right], size[down]);
    const stride = [1, size[0], size[0] * size[1]];
    let place = { x: 0, y: 0, scale: 1 };

    const fill = () => {
      const layer = clamp(Math.round((state.at[fixed] - low[fixed]) / pitch), 0, size[fixed] - 1);
      const gray = state.gray;
      for (let row = 0, to = 0; row < size[down]; row++) {
        const line = sign > 0 ? row : size[down] - 1 - row;
        let from = layer * stride[fixed] + line * stride[down];
        for (let column = 0; column < size[right]; column++, to += 4, from += stride[right]) {
          const value = gray[codes[from]];
          image.data[to] = image.data[to + 1] = image.data[to + 2] = value;
          image.data[to + 3] = 255;
        }
      }
      inner.putImageData(image, 0, 0);
    };
    const toCanvas = (point) => {
      const across = (point[right] - low[right]) / pitch + 0.5;
      const along = (sign > 0 ? point[down] - low[down] : high[down] - point[down]) / pitch + 0.5;
      return [place.x + across * place.scale, place.y + along * place.scale];
    };
    const trace = (context, mesh) => {
      context.beginPath();
      segments(mesh, fixed, state.at[fixed], (a, b) => {
        context.moveTo(...toCanvas(a));
        context.lineTo(...toCanvas(b));
      });
      context.stroke();
    };
    // A band is as wide as the radius at each place; strokes overlap, so they are drawn opaque first.
    const layer = make("canvas");
    const band = (context, organ) => {
      layer.width = canvas.width;
      layer.height = canvas.height;
      const brush = layer.getContext("2d");
      brush.lineCap = brush.lineJoin = "round";
      brush.strokeStyle = organ.color;
      const paths = new Map();
      segments(organ, fixed, state.at[fixed], (a, b, radius) => {
        const wide = Math.round(8 * radius);
        if (!paths.has(wide)) paths.set(wide, new Path2D());
        paths.get(wide).moveTo(...toCanvas(a));
        paths.get(wide).lineTo(...toCanvas(b));
      });
      for (const [wide, path] of paths) {
        brush.lineWidth = 2 * (wide / 8) / pitch * place.scale;
        brush.stroke(path);
      }
      context.globalAlpha = 0.3;
      context.drawImage(layer, 0, 0);
      context.globalAlpha = 1;
    };
    const render = () => {
      const ratio = fitted(canvas);
      const context = canvas.getContext("2d");
      const { width: w, height: h } = canvas;
      context.fillStyle = "#000";
      context.fillRect(0, 0, w, h);
      const scale = Math.min(w / size[right], h / size[down]);
      place = { scale, x: (w - scale * size[right]) / 2, y: (h - scale * size[down]) / 2 };
      if (codes) {
        fill();
        context.imageSmoothingQuality = "high";
        context.drawImage(picture, place.x, place.y, scale * size[right], scale * size[down]);
      }
      for (const organ of organs) {
        if (state.bands && organ.radii && !state.hidden.has(organ.name)) band(context, organ);
      }
      context.save();
      context.lineCap = context.lineJoin = "round";
      context.setLineDash([5 * ratio, 5 * ratio]);
      context.lineWidth = 1.2 * ratio;
      context.strokeStyle = "#9fb3c8";
      trace(context, field);
      context.setLineDash([]);
      for (const [color, wide] of [["rgba(0,0,0,0.55)", 4], [null, 2]]) {
        for (const organ of organs) {
          if (state.hidden.has(organ.name)) continue;
          context.strokeStyle = color ?? organ.color;
          context.lineWidth = wide * ratio;
          trace(context, organ);
        }
      }
      cross(context, ratio);
      marks(context, ratio, w, h);
      context.restore();
      slider.value = Math.round((state.at[fixed] - low[fixed]) / pitch);
      output.textContent = `${plane.letter} = ${state.at[fixed].toFixed(1)} mm`;
    };
    const cross = (context, ratio) => {
      const [x, y] = toCanvas(state.at);
      const gap = 9 * ratio;
      context.lineWidth = ratio;
      context.strokeStyle = "rgba(255,255,255,0.45)";
      context.beginPath();
      for (const [x1, y1, x2, y2] of [
        [place.x, y, x - gap, y], [x + gap, y, place.x + place.scale * size[right], y],
        [x, place.y, x, y - gap], [x, y + gap, x, place.y + place.scale * size[down]],
      ]) { context.moveTo(x1, y1); context.lineTo(x2, y2); }
      context.stroke();
    };
    const marks = (context, ratio, w, h) => {
      context.font = `600 ${13 * ratio}px system-ui, "DejaVu Sans", sans-serif`;
      context.fillStyle = "#dfe6ee";
      context.shadowColor = "#000";
      context.shadowBlur = 4 * ratio;
      context.textAlign = "center";
      context.textBaseline = "middle";
      const edge = 13 * ratio;
      const [left, rightMark, top, bottom] = plane.marks;
      context.strokeStyle = "#000";
      context.lineWidth = 3 * ratio;
      for (const [mark, x, y] of [
        [left, edge, h / 2], [rightMark, w - edge, h / 2], [top, w / 2, edge], [bottom, w / 2, h - edge],
      ]) { context.strokeText(mark, x, y); context.fillText(mark, x, y); }
      const bar = 50 / pitch * place.scale;
      context.strokeStyle = "#dfe6ee";
      context.lineWidth = 2 * ratio;
      context.beginPath();
      context.moveTo(w - edge - bar, h - edge);
      context.lineTo(w - edge, h - edge);
      context.stroke();
      context.font = `${11 * ratio}px system-ui, "DejaVu Sans", sans-serif`;
      context.fillText("5 cm", w - edge - bar / 2, h - edge - 10 * ratio);
    };
    const aim = (event) => {
      const ratio = window.devicePixelRatio || 1;
      const across = (event.offsetX * ratio - place.x) / place.scale - 0.5;
      const along = (event.offsetY * ratio - place.y) / place.scale - 0.5;
      state.at[right] = clamp(low[right] + across * pitch, low[right], high[right]);
      state.at[down] = sign > 0
        ? clamp(low[down] + along * pitch, low[down], high[down])
        : clamp(high[down] - along * pitch, low[down], high[down]);
      draw();
    };
    const step = (count) => {
      state.at[fixed] = clamp(state.at[fixed] + count * pitch, low[fixed], high[fixed]);
      draw();
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch") canvas.setPointerCapture(event.pointerId);
      aim(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1 && event.pointerType !== "touch") aim(event);
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      step(-Math.sign(event.deltaY) * sign);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      step(steps[event.key]);
    });
    return { node, render, canvas };
  };

  // Surfaces: WebGL, orthographic, light from beside the viewer.
  // Paler: the surface may be farther off there.
  const VERTEX = `attribute vec3 point, normal; attribute float far; uniform mat3 turn; uniform vec3 middle, scale;
    varying vec3 outward; varying float pale;
    void main() { outward = turn * normal; pale = far; vec3 at = turn * (point - middle);
      gl_Position = vec4(at.x * scale.x, at.y * scale.y, -at.z * scale.z, 1.0); }`;
  const FRAGMENT = `precision mediump float; varying vec3 outward; varying float pale; uniform vec4 color; uniform float paled;
    void main() { if (color.a < 0.9) { gl_FragColor = vec4(color.rgb * color.a, color.a); return; }
      vec3 n = normalize(outward); if (!gl_FrontFacing) n = -n;
      float light = 0.34 + 0.5 * max(0.0, dot(n, normalize(vec3(-0.35, 0.5, 0.8)))) + 0.2 * max(0.0, n.z);
      float shine = 0.16 * pow(max(0.0, dot(n, normalize(vec3(-0.18, 0.26, 0.95)))), 24.0);
      vec3 body = mix(color.rgb, vec3(0.97), 0.85 * paled * pale);
      gl_FragColor = vec4(body * light + shine, 1.0); }`;

  const normalsOf = ({ points, faces }) => {
    const total = new Float32Array(points.length);
    for (let f = 0; f < faces.length; f += 3) {
      const [a, b, c] = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]];
      const u = [0, 1, 2].map((k) => points[b + k] - points[a + k]);
      const v = [0, 1, 2].map((k) => points[c + k] - points[a + k]);
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      for (const corner of [a, b, c]) for (let k = 0; k < 3; k++) total[corner + k] += n[k];
    }
    return total;
  };

  const solidView = () => {
    const canvas = make("canvas", { tabindex: 0, "aria-label": "Surfaces; arrow keys turn them" });
    const node = make("div", { class: "view solid" }, canvas, make("span", { class: "title", text: "Surfaces" }));
    const gl = canvas.getContext("webgl", { antialias: true, alpha: true, preserveDrawingBuffer: true });
    const HOME = { azimuth: -25, elevation: 12, zoom: 1 };
    const camera = { ...HOME };
    const row = make("div", { class: "row" }, ...[["Front", 0, 0], ["Left", 90, 0], ["Back", 180, 0], ["Right", -90, 0], ["Top", 0, 89.9]].map(
      ([text, azimuth, elevation]) => make("button", { type: "button", text, onclick: () => {
        Object.assign(camera, { azimuth, elevation, zoom: 1 });
        draw();
      } })));
    node.append(row);
    if (!gl || !organs.length) {
      node.querySelector(".title").textContent = organs.length ? "Surfaces: this browser shows no WebGL" : "No surfaces";
      return { node, render: () => {}, canvas };
    }
    const wide = gl.getExtension("OES_element_index_uint");
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    const at = (name) => gl.getUniformLocation(program, name);
    const where = { point: gl.getAttribLocation(program, "point"), normal: gl.getAttribLocation(program, "normal"), far: gl.getAttribLocation(program, "far") };
    const farthest = Math.max(1e-6, ...organs.map(({ radii }) => (radii ? radii.reduce((a, b) => Math.max(a, b), 0) : 0)));
    const faraway = ({ points, radii }) =>
      (radii ? radii.map((radius) => radius / farthest) : new Float32Array(points.length / 3));
    const buffer = (target, array) => {
      const made = gl.createBuffer();
      gl.bindBuffer(target, made);
      gl.bufferData(target, array, gl.STATIC_DRAW);
      return made;
    };
    const upload = (mesh, corners, normals) => ({
      points: buffer(gl.ARRAY_BUFFER, mesh.points), normals: buffer(gl.ARRAY_BUFFER, normals),
      far: buffer(gl.ARRAY_BUFFER, faraway(mesh)),
      corners: buffer(gl.ELEMENT_ARRAY_BUFFER, corners), count: corners.length,
      type: corners instanceof Uint32Array ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT,
    });
    const solids = organs.filter(({ faces }) => wide || !(faces instanceof Uint32Array))
      .map((organ) => ({ organ, ...upload(organ, organ.faces, normalsOf(organ)) }));
    const EDGES = [0, 1, 0, 2, 0, 4, 1, 3, 1, 5, 2, 3, 2, 6, 3, 7, 4, 5, 4, 6, 5, 7, 6, 7];
    const box = upload(field, Uint16Array.from(EDGES), new Float32Array(field.points.length));
    const rgb = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16) / 255);
    const bounds = [0, 1, 2].map((k) => {
      let a = Infinity, b = -Infinity;
      for (const { points } of organs) {
        for (let i = k; i < points.length; i += 3) { a = Math.min(a, points[i]); b = Math.max(b, points[i]); }
      }
      return [a, b];
    });
    const middle = bounds.map(([a, b]) => (a + b) / 2);
    const reach = Math.hypot(...bounds.map(([a, b]) => (b - a) / 2));
    let deepest = reach;
    for (let i = 0; i < field.points.length; i += 3) {
      deepest = Math.max(deepest, Math.hypot(...[0, 1, 2].map((k) => field.points[i + k] - middle[k])));
    }

    const turn = () => {
      const [a, e] = [camera.azimuth, camera.elevation].map((degrees) => degrees * Math.PI / 180);
      const right = [Math.cos(a), Math.sin(a), 0];
      const away = [-Math.sin(a) * Math.cos(e), Math.cos(a) * Math.cos(e), -Math.sin(e)];
      const up = [-Math.sin(a) * Math.sin(e), Math.cos(a) * Math.sin(e), Math.cos(e)];
      return { right, up, near: away.map((x) => -x) };
    };
    const drawBuffers = (solid, kind, color) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, solid.points);
      gl.vertexAttribPointer(where.point, 3, gl.FLOAT, false, 0, 0);
      gl.enableVertexAttribArray(where.point);
      gl.bindBuffer(gl.ARRAY_BUFFER, solid.normals);
      gl.vertexAttribPointer(where.normal, 3, gl.FLOAT, false, 0, 0);
      gl.enableVertexAttribArray(where.normal);
      gl.bindBuffer(gl.ARRAY_BUFFER, solid.far);
      gl.vertexAttribPointer(where.far, 1, gl.FLOAT, false, 0, 0);
      gl.enableVertexAttribArray(where.far);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, solid.corners);
      gl.uniform4f(at("color"), ...color);
      gl.drawElements(kind, solid.count, solid.type, 0);
    };
    const compass = make("canvas", { "aria-hidden": "true" });
    compass.style.cssText = "position:absolute;left:0.5rem;bottom:2.3rem;width:84px;height:84px;pointer-events:none;background:none";
    node.append(compass);
    const drawCompass = ({ right, up, near }) => {
      const ratio = fitted(compass);
      const context = compass.getContext("2d");
      context.clearRect(0, 0, compass.width, compass.height);
      context.font = `600 ${11 * ratio}px system-ui, "DejaVu Sans", sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      const color = getComputedStyle(node).getPropertyValue("--soft");
      const arms = [["L", 0, 1], ["A", 1, -1], ["S", 2, 1]]
        .sort((p, q) => p[2] * near[p[1]] - q[2] * near[q[1]]);
      for (const [letter, k, sense] of arms) {
        const [x, y] = [sense * right[k], -sense * up[k]];
        const from = compass.width / 2, long = 26 * ratio;
        context.strokeStyle = context.fillStyle = color;
        context.lineWidth = 1.5 * ratio;
        context.beginPath();
        context.moveTo(from, from);
        context.lineTo(from + long * x, from + long * y);
        context.stroke();
        context.fillText(letter, from + (long + 8 * ratio) * x, from + (long + 8 * ratio) * y);
      }
    };
    const render = () => {
      fitted(canvas);
      const { width: w, height: h } = canvas;
      gl.viewport(0, 0, w, h);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.enable(gl.DEPTH_TEST);
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
      const side = 0.92 * camera.zoom * Math.min(w, h) / reach;
      const basis = turn();
      const { right, up, near } = basis;
      gl.uniformMatrix3fv(at("turn"), false, [0, 1, 2].flatMap((k) => [right[k], up[k], near[k]]));
      gl.uniform3f(at("middle"), ...middle);
      gl.uniform1f(at("paled"), state.bands ? 1 : 0);
      gl.uniform3f(at("scale"), side / w, side / h, 1 / (1.01 * deepest));
      for (const solid of solids) {
        if (!state.hidden.has(solid.organ.name)) {
          drawBuffers(solid, gl.TRIANGLES, [...rgb(solid.organ.color), 1]);
        }
      }
      drawBuffers(box, gl.LINES, [0.5, 0.58, 0.66, 0.55]);
      drawCompass(basis);
    };
    let last = null;
    const turnBy = (x, y) => {
      camera.azimuth -= x;
      camera.elevation = clamp(camera.elevation + y, -89.9, 89.9);
      draw();
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      last = [event.clientX, event.clientY];
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      turnBy(0.5 * (event.clientX - last[0]), 0.5 * (event.clientY - last[1]));
      last = [event.clientX, event.clientY];
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      camera.zoom = clamp(camera.zoom * Math.exp(-0.0012 * event.deltaY), 0.2, 8);
      draw();
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const turns = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] };
      if (!(event.key in turns)) return;
      event.preventDefault();
      turnBy(...turns[event.key]);
    });
    return { node, render, canvas };
  };

  const views = [...PLANES.map(flatView), solidView()];
  document.getElementById("views").append(...views.map(({ node }) => node));
  let waiting = false;
  const draw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; views.forEach(({ render }) => render()); });
  };

  document.getElementById("organs").append(...organs.map((organ) => {
    const chip = make("i", { class: "chip" });
    const paint = () => {
      const off = state.hidden.has(organ.name);
      chip.style.background = off ? "transparent" : organ.color;
      chip.style.borderColor = organ.color;
      node.classList.toggle("off", off);
      eye.setAttribute("aria-pressed", String(!off));
    };
    const eye = make("button", {
      type: "button", class: "eye", "aria-label": `show ${organ.label}`, title: `Show or hide ${organ.label}`,
      onclick: () => {
        if (!state.hidden.delete(organ.name)) state.hidden.add(organ.name);
        paint();
        draw();
      },
    }, chip);
    const go = make("button", {
      type: "button", class: "go", text: organ.label, title: `Go to the middle of ${organ.label}`,
      onclick: () => {
        state.at = organ.middle.map((x, k) => clamp(x, low[k], high[k]));
        draw();
      },
    });
    const node = make("span", { class: "organ" }, eye, go);
    paint();
    return node;
  }));
  const choices = windows.map(([text], n) => make("button", {
    type: "button", text, "aria-pressed": String(n === 0),
    onclick: () => {
      state.gray = grays[n];
      choices.forEach((choice, m) => choice.setAttribute("aria-pressed", String(m === n)));
      draw();
    },
  }));
  document.getElementById("windows").append(...choices);
  if (organs.some(({ radii }) => radii)) {
    const bands = document.getElementById("bands");
    const choice = make("button", {
      type: "button", text: "Bands", "aria-pressed": "true",
      title: "Show or hide how far off the surfaces may be",
      onclick: () => {
        state.bands = !state.bands;
        choice.setAttribute("aria-pressed", String(state.bands));
        draw();
      },
    });
    bands.hidden = false;
    bands.append(choice);
  }
  const sizes = new ResizeObserver(draw);
  views.forEach(({ canvas }) => sizes.observe(canvas));
  sheet.src = data.brick.sheet;
  draw();
})();

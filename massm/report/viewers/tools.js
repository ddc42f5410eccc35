// What all viewers share. A viewer is made of an element and of what it shows: viewers[name](box, shown).
"use strict";
const viewers = {};
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
const space = "http://www.w3.org/2000/svg";
const svg = (tag, attributes) => {
  const node = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};
// How an outline looks, as a short line.
const sample = (line) => {
  const mark = svg("svg", { class: "mark", viewBox: "0 0 26 8", "aria-hidden": "true" });
  mark.append(svg("line", {
    x1: 1, x2: 25, y1: 4, y2: 4, stroke: line.color, "stroke-width": 4, "stroke-dasharray": line.dashes,
  }));
  return mark;
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
// Sides of the box in proportion, the longest always 1: whatever its shape, an anatomy fits.
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
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const layout = () => {
  const none = { visible: false, showspikes: false };
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)",
    font: { family: "inherit", size: 11, color: ink("--soft") },
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

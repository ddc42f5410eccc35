// Many pictures of one surface, each with colors of its own, turned by one camera. A page may hold
// few WebGL contexts: one draws them all, each is copied to its canvas.
const turntable = (() => {
  const VERTEX = `attribute vec3 point, normal; attribute float error; uniform mat3 turn;
    uniform vec3 scale; varying vec3 outward; varying float share; uniform float limit;
    void main() { outward = turn * normal; share = clamp(error / limit, 0.0, 1.0);
      vec3 at = turn * point; gl_Position = vec4(at.x * scale.x, at.y * scale.y, -at.z * scale.z, 1.0); }`;
  const FRAGMENT = `precision mediump float; varying vec3 outward; varying float share;
    uniform vec3 colors[COUNT];
    void main() { vec3 n = normalize(outward); if (!gl_FrontFacing) n = -n;
      float place = share * float(COUNT - 1); vec3 color = colors[0];
      for (int i = 1; i < COUNT; i++) color = mix(color, colors[i], clamp(place - float(i - 1), 0.0, 1.0));
      gl_FragColor = vec4(min(vec3(1.0), color * (0.5 + 0.56 * max(0.0, n.z))), 1.0); }`;
  const rgb = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16) / 255);
  const normalsOf = (points, faces) => {
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

  return (scaleColors) => {
    const sheet = make("canvas");
    const gl = sheet.getContext("webgl", { antialias: true, alpha: true, premultipliedAlpha: false });
    if (!gl) return null;
    const program = gl.createProgram();
    const sources = [[gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT.replaceAll("COUNT", String(scaleColors.length))]];
    for (const [kind, text] of sources) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.getExtension("OES_element_index_uint");
    const at = (name) => gl.getUniformLocation(program, name);
    gl.uniform3fv(at("colors"), scaleColors.flatMap(rgb));
    gl.enable(gl.DEPTH_TEST);
    const filled = (target, array, buffer = gl.createBuffer()) => {
      gl.bindBuffer(target, buffer);
      gl.bufferData(target, array, gl.STATIC_DRAW);
      return buffer;
    };
    const attribute = (name, buffer, size) => {
      const place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, 0, 0);
    };
    let mesh = null;
    const errors = gl.createBuffer();
    const load = (packed) => {
      const origin = middle(packed);
      const points = floats(packed.points).map((value, n) => value - origin[n % 3]);
      const faces = new (packed.wide ? Uint32Array : Uint16Array)(bytes(packed.faces));
      let reach = 0;
      for (let i = 0; i < points.length; i += 3) {
        reach = Math.max(reach, Math.hypot(points[i], points[i + 1], points[i + 2]));
      }
      attribute("point", filled(gl.ARRAY_BUFFER, points), 3);
      attribute("normal", filled(gl.ARRAY_BUFFER, normalsOf(points, faces)), 3);
      filled(gl.ELEMENT_ARRAY_BUFFER, faces);
      mesh = { reach, count: faces.length, type: packed.wide ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT };
    };
    // Right, up and toward the viewer; azimuth 0 looks at the patient's front.
    const basis = ({ azimuth, elevation }) => {
      const [a, e] = [azimuth, elevation].map((degrees) => degrees * Math.PI / 180);
      return {
        right: [Math.cos(a), Math.sin(a), 0],
        up: [-Math.sin(a) * Math.sin(e), Math.cos(a) * Math.sin(e), Math.cos(e)],
        near: [Math.sin(a) * Math.cos(e), -Math.cos(a) * Math.cos(e), Math.sin(e)],
      };
    };
    const draw = (canvas, error, limit, camera) => {
      const ratio = window.devicePixelRatio || 1;
      const [w, h] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * ratio));
      if (!w || !h || !mesh) return;
      for (const one of [canvas, sheet]) {
        if (one.width !== w || one.height !== h) { one.width = w; one.height = h; }
      }
      gl.viewport(0, 0, w, h);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      const { right, up, near } = basis(camera);
      gl.uniformMatrix3fv(at("turn"), false, [0, 1, 2].flatMap((k) => [right[k], up[k], near[k]]));
      const side = 0.95 * camera.zoom * Math.min(w, h) / mesh.reach;
      gl.uniform3f(at("scale"), side / w, side / h, 1 / (1.01 * mesh.reach));
      gl.uniform1f(at("limit"), limit);
      attribute("error", filled(gl.ARRAY_BUFFER, error, errors), 1);
      gl.drawElements(gl.TRIANGLES, mesh.count, mesh.type, 0);
      const flat = canvas.getContext("2d");
      flat.clearRect(0, 0, w, h);
      flat.drawImage(sheet, 0, 0);
    };
    return { load, draw };
  };
})();

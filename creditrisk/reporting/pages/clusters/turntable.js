(() => {
  const box = document.getElementById("turntable"), svg = box.querySelector("svg");
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const text = box.dataset.points, half = box.dataset.half.split(",").map(Number);
  const scale = +box.dataset.scale, start = box.dataset.view.split(",").map(Number);
  const read = i => digits.indexOf(text[i]);
  const points = [];
  for (let i = 0; i < text.length; i += 7)
    points.push([0, 2, 4].map(j => 64 * read(i + j) + read(i + j + 1) - 2048).concat(read(i + 6)));
  const layers = [...svg.querySelectorAll("[data-slab]")], slabs = 1 + Math.max(...layers.map(l => +l.dataset.slab));
  const path = new Map(layers.map(l => [l.dataset.slab + " " + l.dataset.label, l]));
  const reach = scale * Math.hypot(...half), names = [...svg.querySelectorAll("text")];
  const says = box.querySelector("output");
  const { width, height } = svg.viewBox.baseVal;
  let [azimuth, elevation] = start, waiting = false;
  const draw = () => {
    waiting = false;
    const a = azimuth * Math.PI / 180, e = elevation * Math.PI / 180;
    const ca = Math.cos(a), sa = Math.sin(a), ce = Math.cos(e), se = Math.sin(e);
    const project = (x, y, z) => [
      Math.round(width / 2 + scale * (ca * y - sa * x)),
      Math.round(height / 2 - scale * (ce * z - se * ca * x - se * sa * y)),
      scale * (ce * ca * x + ce * sa * y + se * z)];
    const parts = new Map(layers.map(l => [l, []]));
    for (const [x, y, z, label] of points) {
      const [u, v, near] = project(x, y, z);
      const slab = Math.min(Math.max(Math.floor((near / reach + .5) * slabs), 0), slabs - 1);
      parts.get(path.get(slab + " " + label)).push("M" + u + " " + v + "h0");
    }
    parts.forEach((d, layer) => layer.setAttribute("d", d.join("")));
    const corner = (s, out = 1) => project(...s.map((v, i) => out * v * half[i])).slice(0, 2);
    const origin = corner([-1, -1, -1]);
    let edges = "", axes = "";
    for (let k = 0; k < 8; k++) {
      const s = [4, 2, 1].map(bit => k & bit ? 1 : -1);
      s.forEach((v, i) => { if (v < 0) edges += "M" + corner(s).join(" ") + "L" + corner(s.map((w, j) => j === i ? 1 : w)).join(" ") });
    }
    names.forEach((name, i) => {
      const tip = [0, 1, 2].map(j => i === j ? 1 : -1), end = corner(tip), [x, y] = corner(tip, 1.1);
      axes += "M" + origin.join(" ") + "L" + end.join(" ");
      // an axis that points at the eye has no room for its name
      name.setAttribute("opacity", Math.hypot(end[0] - origin[0], end[1] - origin[1]) < 60 ? 0 : 1);
      name.setAttribute("x", x);
      name.setAttribute("y", y);
    });
    svg.querySelector(".edges").setAttribute("d", edges);
    svg.querySelector(".axes").setAttribute("d", axes);
    const degrees = v => (Math.round(v) + "°").replace("-", "\u2212");
    says.textContent = "azimuth " + degrees(azimuth) + ", elevation " + degrees(elevation);
  };
  const look = (a, e) => {
    azimuth = ((a + 180) % 360 + 360) % 360 - 180;
    elevation = Math.min(Math.max(e, -90), 90);
    if (!waiting) { waiting = true; requestAnimationFrame(draw) }
  };
  const turn = (a, e) => look(azimuth + a, elevation + e);
  box.querySelector(".turn").hidden = false;
  box.querySelectorAll("button").forEach(b => b.onclick = () => {
    const [a, e] = (b.dataset.turn || b.dataset.look).split(",").map(Number);
    b.dataset.turn ? turn(a, e) : look(a, e);
  });
  const stage = svg.parentElement, keys = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, 5], ArrowDown: [0, -5] };
  stage.tabIndex = 0;
  stage.addEventListener("keydown", e => {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    if (e.key === "Home") look(...start); else if (keys[e.key]) turn(...keys[e.key]); else return;
    e.preventDefault();
  });
  let from = null;
  stage.addEventListener("pointerdown", e => {
    if (e.button) return;
    from = [e.clientX, e.clientY];
    stage.setPointerCapture(e.pointerId);
  });
  stage.addEventListener("pointermove", e => {
    if (!from) return;
    turn(.5 * (from[0] - e.clientX), .5 * (e.clientY - from[1]));
    from = [e.clientX, e.clientY];
  });
  ["pointerup", "pointercancel"].forEach(kind => stage.addEventListener(kind, () => from = null));
})();

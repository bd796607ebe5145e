// The area of a rule, drawn on the plan of its site by pointer and by keys. The field beside it holds the same corners as text: it is what is
// sent, and without this file it is all there is.
import { fill } from "../web/ages.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST = 50;
const STEP_M = 0.5;
const FAR_M = 5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const field = document.getElementById("f-points");
const site = document.getElementById("f-site");
const room = () => document.getElementById("fence");
const plan = () => room().querySelector("svg");
const of = (name) => Number(room().dataset[name]);
// To ten centimetres.
const tidy = (metres) => Math.round(metres * 10) / 10;

let corners = [];
let dragged = -1;
let moved = false;

function read() {
  const pairs = field.value.split(/[;\n]/).map((part) => part.split(",").map(Number));
  corners = pairs.filter((pair) => pair.length === 2 && pair.every(Number.isFinite)).slice(0, MOST);
  draw();
}

function write() {
  field.value = corners.map(([x, y]) => `${x}, ${y}`).join("; ");
  draw();
}

const placed = ([x, y]) => [of("left") + (x - of("x0")) * of("scale"), of("top") + (y - of("y0")) * of("scale")];

function metres(event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plan().getScreenCTM().inverse());
  return [tidy((at.x - of("left")) / of("scale") + of("x0")), tidy((at.y - of("top")) / of("scale") + of("y0"))];
}

function shape(name, after) {
  const made = document.createElementNS(SVG, name);
  after.after(made);
  return made;
}

function draw() {
  const svg = plan();
  const area = svg.querySelector(".area") || shape("polygon", svg.querySelector(".walls"));
  area.setAttribute("class", "area");
  area.setAttribute("points", corners.map((corner) => placed(corner).map((unit) => unit.toFixed(1)).join(",")).join(" "));
  const knobs = [...svg.querySelectorAll(".corner")];
  for (const knob of knobs.splice(corners.length)) knob.remove();
  corners.forEach((corner, index) => {
    const knob = knobs[index] || shape("circle", svg.lastElementChild);
    knobs[index] = knob;
    const [x, y] = placed(corner);
    const label = fill(room().dataset.corner, { n: index + 1, x: corner[0], y: corner[1] });
    const told = { class: "corner", cx: x.toFixed(1), cy: y.toFixed(1), tabindex: 0, role: "button", "aria-label": label };
    for (const [name, value] of Object.entries(told)) knob.setAttribute(name, value);
  });
}

const knob = (index) => plan().querySelectorAll(".corner")[index];

function put(index, [x, y]) {
  corners[index] = [tidy(x), tidy(y)];
  write();
}

function insert(index, corner) {
  if (corners.length >= MOST) return;
  corners.splice(index, 0, corner.map(tidy));
  write();
  knob(index).focus();
}

function remove(index) {
  corners.splice(index, 1);
  write();
  if (corners.length) knob(Math.min(index, corners.length - 1)).focus();
  else field.focus();
}

// Between which two corners a new one belongs: on the side that passes nearest.
function between(corner) {
  if (corners.length < 3) return corners.length;
  const far = ([x, y], [ax, ay], [bx, by]) => {
    const long = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
    const along = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long));
    return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
  };
  const sides = corners.map((one, index) => far(corner, one, corners[(index + 1) % corners.length]));
  return sides.indexOf(Math.min(...sides)) + 1;
}

function middle() {
  const box = plan().viewBox.baseVal;
  return [(box.width / 2 - of("left")) / of("scale") + of("x0"), (box.height / 2 - of("top")) / of("scale") + of("y0")];
}

// The next corner by key: half way to the one that follows, else in the middle of the plan.
function another(index) {
  if (corners.length < 2) return insert(corners.length, middle().map((one) => one + corners.length * FAR_M));
  const [from, to] = [corners[index], corners[(index + 1) % corners.length]];
  return insert(index + 1, [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]);
}

const indexOf = (target) => (target.classList && target.classList.contains("corner") ? [...plan().querySelectorAll(".corner")].indexOf(target) : -1);

document.addEventListener("pointerdown", (event) => {
  dragged = indexOf(event.target);
  moved = false;
  if (dragged >= 0) event.target.setPointerCapture(event.pointerId);
});
document.addEventListener("pointermove", (event) => {
  if (dragged < 0) return;
  moved = true;
  put(dragged, metres(event));
});
for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => { dragged = -1; });
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fence]");
  if (button && button.dataset.fence === "add") another(corners.length - 1);
  else if (button) { corners = []; write(); }
  else if (event.target.closest("#fence svg") && indexOf(event.target) < 0 && !moved) {
    const corner = metres(event);
    insert(between(corner), corner);
  }
});
document.addEventListener("keydown", (event) => {
  const index = indexOf(event.target);
  if (index < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  const [x, y] = corners[index];
  const far = event.shiftKey ? FAR_M : STEP_M;
  if (event.key in ARROWS) put(index, [x + ARROWS[event.key][0] * far, y + ARROWS[event.key][1] * far]);
  else if (event.key === "Delete" || event.key === "Backspace") remove(index);
  else if (event.key === "Insert" || event.key === "Enter" || event.key === " ") another(index);
  else return;
  event.preventDefault();
});
field.addEventListener("input", read);

// Another site has another plan; what was typed stays.
site.addEventListener("change", async () => {
  const answer = await fetch(`${location.pathname}?kind=fence&site=${encodeURIComponent(site.value)}`).catch(() => null);
  if (!answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("fence");
  if (!fresh) return;
  room().replaceWith(fresh);
  read();
});
read();

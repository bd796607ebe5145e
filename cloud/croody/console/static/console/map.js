// Mapa: plan and map of the monitor, with a plan that one can come near to.
import "../monitor/map.js";
import { look } from "../monitor/plan.js";
import { onPlaced } from "../web/live.js";

const STEP = 1.5;
const MOST = 12;
// What is seen of the drawing: its middle and how many times it is enlarged.
const view = { x: 0.5, y: 0.5, zoom: 1 };
const room = () => document.querySelector(".plan-room");
const svg = () => document.getElementById("plan");

// The whole drawing, as the server made it.
function sheet() {
  const plan = svg();
  if (!plan.dataset.sheet) plan.dataset.sheet = plan.getAttribute("viewBox");
  return plan.dataset.sheet.split(" ").map(Number);
}

function show() {
  if (!svg()) return;
  const [, , width, height] = sheet();
  const half = 0.5 / view.zoom;
  view.x = Math.min(1 - half, Math.max(half, view.x));
  view.y = Math.min(1 - half, Math.max(half, view.y));
  look([(view.x - half) * width, (view.y - half) * height, width / view.zoom, height / view.zoom], view.zoom);
  room().classList.toggle("zoomed", view.zoom > 1);
}

// `at`: the point that stays where it is, as shares of what is seen.
function zoom(factor, at = [0.5, 0.5]) {
  const before = view.zoom;
  view.zoom = Math.min(MOST, Math.max(1, view.zoom * factor));
  view.x += (at[0] - 0.5) * (1 / before - 1 / view.zoom);
  view.y += (at[1] - 0.5) * (1 / before - 1 / view.zoom);
  show();
}

function pan(dx, dy) {
  view.x += dx / view.zoom;
  view.y += dy / view.zoom;
  show();
}

function whole() {
  Object.assign(view, { x: 0.5, y: 0.5, zoom: 1 });
  show();
}

const ACTS = { in: () => zoom(STEP), out: () => zoom(1 / STEP), all: whole };
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-zoom]");
  if (button) ACTS[button.dataset.zoom]();
});

const KEYS = { "+": ACTS.in, "=": ACTS.in, "-": ACTS.out, 0: whole };
const ARROWS = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, #map")) return;
  if (event.key in KEYS) KEYS[event.key]();
  else if (view.zoom > 1 && event.key in ARROWS && room() && room().contains(event.target)) pan(...ARROWS[event.key]);
  else return;
  event.preventDefault();
});

function share(event) {
  const box = svg().getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

// Over the plan the wheel scrolls the page; with Ctrl, and by two fingers, it comes nearer.
document.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey || !event.target.closest("#plan")) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 200), share(event));
  },
  { passive: false },
);

const pointers = new Map();
document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest("#plan") || event.target.closest("a")) return;
  pointers.set(event.pointerId, share(event));
});
document.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = share(event);
  pointers.set(event.pointerId, now);
  if (pointers.size === 2) {
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const apart = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]) || 1e-6;
    zoom(apart(now) / apart(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
  } else if (view.zoom > 1) {
    room().classList.add("dragging");
    pan(before[0] - now[0], before[1] - now[1]);
  }
});
for (const kind of ["pointerup", "pointercancel"]) {
  document.addEventListener(kind, (event) => {
    pointers.delete(event.pointerId);
    if (room()) room().classList.remove("dragging");
  });
}
document.addEventListener("dblclick", (event) => {
  if (event.target.closest("#plan") && !event.target.closest("a")) zoom(2, share(event));
});

// A link to a robot shows its place first.
const wanted = document.getElementById("live").dataset.robotAsked;
let led = !wanted;
function lead() {
  const mark = document.getElementById(`mark-${wanted}`);
  if (led || !mark) return;
  led = true;
  const [x, y] = mark.getAttribute("transform").match(/-?[\d.]+/g).map(Number);
  const [, , width, height] = sheet();
  Object.assign(view, { x: x / width, y: y / height, zoom: 2.5 });
  show();
}

onPlaced((message) => {
  lead();
  if (wanted && (message.html || message.whole)) {
    const mark = document.getElementById(`mark-${wanted}`);
    if (mark) mark.classList.add("looked-at");
  }
  // Another drawing begins whole; the same one stays where the reader put it.
  if (message.html && message.html["plan-figure"] && svg()) {
    delete svg().dataset.sheet;
    show();
  }
});

// Robots, their names and their trails on the plan. Places come from the server in units of the drawing.
import { attribute } from "../web/ages.js";
import { now, onPlaced } from "../web/live.js";
import { leader, placeNames } from "./labels.js";

const TRAIL_S = 120;
const SIDES = ["right", "left", "above", "below", "upright", "downright", "upleft", "downleft", "unnamed", "far", "far2", "far3"];
const URGENT = ["is-offline", "is-stale", "is-faulted", "is-quarantined"];
// Two places that are nearer than this are one, in units of the drawing.
const STEP = 4;
const trails = new Map(); // id -> [[at, x, y, hole], ...] oldest first
const spots = new Map(); // id -> {x, y, heading, at, hole}

// Asking for the style lays the whole page out: only when the plan has another width, or is another one.
const measured = { plan: null, width: 0, unit: 1 };
const resized = new ResizeObserver(([entry]) => {
  if (Math.abs(entry.contentRect.width - measured.width) > 0.5) measured.plan = null;
});

function unitOf(plan) {
  if (measured.plan !== plan) {
    measured.plan = plan;
    measured.width = plan.getBoundingClientRect().width;
    measured.unit = Number(getComputedStyle(plan).getPropertyValue("--u")) || 1;
    resized.disconnect();
    resized.observe(plan);
  }
  return measured.unit;
}

// Shows a part of the drawing, [x, y, width, height], so many times as large: type and marks keep their size on screen.
export function look(part, zoom) {
  const plan = document.getElementById("plan");
  plan.setAttribute("viewBox", part.map((number) => number.toFixed(2)).join(" "));
  plan.style.removeProperty("--u");
  if (zoom > 1) plan.style.setProperty("--u", String(Number(getComputedStyle(plan).getPropertyValue("--u")) / zoom));
  measured.plan = null;
  nameAll(frame());
}

function frame() {
  const plan = document.getElementById("plan");
  if (!plan) return null;
  const read = (name) => Number(plan.dataset[name]);
  // Units a pixel, as the style sheet has it for this width: a name must have room for its letters.
  const unit = unitOf(plan);
  const { x, y, width, height } = plan.viewBox.baseVal;
  const [left, top] = [read("left"), read("top")];
  return { unit, sheet: [x, y, x + width, y + height], floor: [left, top, left + read("width"), top + read("height")], dots: plan.classList.contains("dots") };
}

// No search through the page: a list of its children is there already.
const marks = () => [...(document.getElementById("robots")?.children || [])];
const isUrgent = (mark) => URGENT.some((name) => mark.classList.contains(name));

function move(mark) {
  const spot = spots.get(mark.dataset.robot);
  if (!spot) return;
  attribute(mark, "transform", `translate(${spot.x.toFixed(1)} ${spot.y.toFixed(1)})`);
  attribute(mark.querySelector(".turn"), "transform", `rotate(${spot.heading.toFixed(1)})`);
}

// Names, all of them at once: who asks for attention is named first, and nobody's name lies on another's. Among dots only these are named,
// as long as they are few; the list names them all.
const NAMED = 20;
function nameAll(box) {
  const bots = [];
  const dots = [];
  const all = new Map();
  const there = marks();
  const urgents = there.filter(isUrgent).length;
  for (const mark of there) {
    const id = mark.dataset.robot;
    const spot = spots.get(id);
    if (!spot) continue;
    const urgent = isUrgent(mark);
    all.set(id, mark);
    if (box.dots && (!urgent || urgents > NAMED)) {
      dots.push(spot);
      continue;
    }
    const second = [...mark.lastElementChild.children].filter((text) => urgent || text.classList.contains("off-by"));
    bots.push({
      id,
      x: spot.x,
      y: spot.y,
      // Ahead of its robot, so that it does not lie on the trail.
      first: spot.heading > 180 && spot.heading < 360 ? "left" : "right",
      now: mark.dataset.place || SIDES.filter((side) => mark.classList.contains(side)).join(" "),
      lines: second.length ? 2 : 1,
      letters: Math.max(id.length, ...second.map((text) => text.textContent.length)),
      urgent,
    });
  }
  bots.sort((a, b) => b.urgent - a.urgent || (a.now === "unnamed") - (b.now === "unnamed") || (a.id < b.id ? -1 : 1));
  const sides = placeNames(bots, box.unit, box.sheet, box.floor, dots);
  for (const [id, mark] of all) {
    const place = sides.get(id) || "unnamed";
    if (mark.dataset.place === place) continue;
    mark.dataset.place = place;
    const names = place.split(" ");
    for (const name of SIDES) mark.classList.toggle(name, names.includes(name));
    attribute(mark.querySelector(".leader"), "d", leader(place, box.unit));
  }
}

// A line is drawn only where readings followed each other: more silence than `hole` is a hole.
function remember(id, spot, before) {
  if (!spot.at) return;
  const points = trails.get(id) || [];
  trails.set(id, points);
  const last = points[points.length - 1];
  if ((before && spot.at <= before.at) || (last && spot.at <= last[0])) return;
  const apart = (x, y) => Math.abs(spot.x - x) + Math.abs(spot.y - y);
  const hole = Boolean(before) && spot.at - before.at > spot.hole && apart(before.x, before.y) >= STEP;
  if (hole || !last || apart(last[1], last[2]) >= STEP) points.push([spot.at, spot.x, spot.y, hole ? 1 : 0]);
}

function trailOf(id) {
  const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
  group.setAttribute("class", "trail");
  group.dataset.trail = id;
  for (const part of ["old", "mid", "new"]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", part);
    group.append(path);
  }
  document.getElementById("trails").append(group);
  return group;
}

function drawTrails() {
  const time = now();
  const here = new Set(marks().map((mark) => mark.dataset.robot));
  const groups = new Map();
  for (const group of [...document.getElementById("trails").children]) {
    if (here.has(group.dataset.trail)) groups.set(group.dataset.trail, group);
    else group.remove();
  }
  for (const id of here) {
    const points = trails.get(id);
    const end = spots.get(id);
    if (!points || !end) continue;
    while (points.length && points[0][0] < time - TRAIL_S) points.shift();
    const parts = ["", "", ""];
    let before = null;
    for (const [at, x, y, hole] of points.length ? [...points, [end.at, end.x, end.y]] : points) {
      const part = 2 - Math.max(0, Math.min(2, Math.floor((time - at) / 40)));
      const point = `${x.toFixed(1)} ${y.toFixed(1)}`;
      if (!before || hole) parts[part] += "M" + point;
      else if (before.part !== part) parts[part] += "M" + before.point + "L" + point;
      else parts[part] += "L" + point;
      before = { part, point };
    }
    const group = groups.get(id) || trailOf(id);
    for (const [place, path] of [...group.children].entries()) attribute(path, "d", parts[place]);
  }
}

let drawn = "";

onPlaced((message) => {
  const box = frame();
  // Another drawing has other units.
  const floor = box ? [document.getElementById("plan").dataset.site, ...box.floor].join(" ") : "";
  if (message.whole || floor !== drawn) trails.clear();
  if (message.whole) spots.clear();
  drawn = floor;
  for (const [id, points] of Object.entries((message.data && message.data.trails) || {})) trails.set(id, points);
  const moved = new Set();
  for (const [id, fields] of Object.entries(message.texts || {})) {
    const before = spots.get(id);
    if (!before && !fields.spot) continue;
    const [x, y, heading] = fields.spot || [before.x, before.y, before.heading];
    const spot = { x, y, heading, at: fields.at === undefined ? before && before.at : fields.at, hole: fields.hole || (before && before.hole) };
    spots.set(id, spot);
    remember(id, spot, before);
    if (!before || fields.spot) moved.add(id);
  }
  if (!box) return;
  // A mark that was drawn again stands where the server had it, and has lost the side of its name.
  const anew = Boolean(message.whole || message.html || message.lists);
  for (const mark of marks()) if (anew || moved.has(mark.dataset.robot)) move(mark);
  if (box.dots) document.getElementById("trails").replaceChildren();
  else drawTrails();
  if (anew || moved.size) nameAll(box);
});

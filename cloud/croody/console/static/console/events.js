// The lane above the charts: when alarms were open, when nothing came, and what happened, as letters. SVG, drawn by the same times.
const NS = "http://www.w3.org/2000/svg";
const HEIGHT = 52;
const TOP = 34;

function add(parent, name, attributes, title) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (title) add(element, "title", {}).textContent = title;
  parent.append(element);
  return element;
}

export function events(svg, said, left) {
  const width = svg.clientWidth;
  if (!width) return;
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  const room = width - left - 8;
  const x = (at) => left + (room * (at - said.start)) / (said.end - said.start);
  const clip = (at) => Math.max(left, Math.min(width - 8, x(at)));
  svg.replaceChildren();
  const bar = (from, to, kind, title) => {
    const start = clip(from);
    const wide = clip(to) - start;
    if (wide > 0) add(svg, "rect", { class: kind, x: start, y: TOP, width: Math.max(1, wide), height: 14 }, title);
  };
  for (const [first, last] of runs(said)) bar(first, last, "lane-line");
  for (const [from, to] of said.late) bar(from, to, "is-late", svg.closest("[data-series]").dataset.lateWord);
  for (const span of said.spans) bar(span.from, span.to, `is-${span.severity}`, span.text);
  for (const [from, to, asked] of said.holes) bar(from, to, "is-hole", svg.closest("[data-series]").dataset[asked ? "asked" : "hole"]);
  // Letters that would lie on each other stand beside each other, alarms above the others.
  const taken = { alarm: -100, other: -100 };
  for (const flag of said.flags) {
    const alarm = Boolean(flag.severity) && flag.severity !== "low";
    const row = alarm ? "alarm" : "other";
    const at = Math.min(Math.max(x(flag.at), taken[row] + 17), width - 9);
    if (at - taken[row] < 4) continue;
    taken[row] = at;
    const y = alarm ? 1 : 17;
    add(svg, "line", { class: "stem", x1: x(flag.at), x2: x(flag.at), y1: y + 14, y2: TOP });
    const group = add(svg, "g", alarm ? { class: `sev-${flag.severity}` } : {}, flag.text);
    add(group, "rect", { class: alarm ? "flag-box alarm" : "flag-box", x: at - 7.5, y, width: 15, height: 15, rx: 2 });
    add(group, "text", { class: alarm ? "alarm" : "", x: at, y: y + 11.5 }).textContent = flag.letter;
  }
}

// From when until when something came: what lies between the holes.
function runs(said) {
  const there = said.at.filter((_, index) => said.lanes.some((lane) => lane.mean[index] !== null));
  if (!there.length) return [];
  const found = [];
  let start = there[0];
  for (const [from, to] of said.holes) {
    if (from > start) found.push([start, from]);
    start = to;
  }
  const end = there[there.length - 1] + said.step;
  if (end > start) found.push([start, end]);
  return found;
}

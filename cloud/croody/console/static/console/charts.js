// Charts of a robot: one lane a metric, one time axis, what is missing drawn as missing. The server says what to draw.
import uPlot from "../vendor/uplot-1.6.32/uplot.esm.min.js";
import { age, clock, fill, localise, moment, onZone } from "../web/ages.js";
import { isFrozen, now } from "../web/live.js";
import { events } from "./events.js";
import { number } from "./numbers.js";

const root = document.getElementById("charts");
const LANES = [...root.querySelectorAll(".lane")];
const LEAST_S = 10;
// As wide in every lane, so that their times lie one below the other.
const AXIS = () => (innerWidth < 900 ? 36 : 44);

const language = document.documentElement.lang;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const resolved = new Map();
const LEAST_JOINED = 5; // buckets: where readings come close together most of the time, a slower while is no hole
let drawn = null; // what the server said last
let plots = [];
let chosen = root.dataset.from ? [Number(root.dataset.from), Number(root.dataset.to)] : null;
let loadedAt = 0;
let waiting = null;

// `light-dark()` is for style sheets; a canvas needs the colour itself.
function ink(name) {
  if (!resolved.has(name)) {
    const probe = document.createElement("i");
    probe.style.color = colour(name);
    document.body.append(probe);
    resolved.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return resolved.get(name);
}

const decimals = (lane) => Number(lane.dataset.decimals);
const text = (lane, value) => (value === null || value === undefined ? "\u2014" : number(value, decimals(lane), language));
const withUnit = (lane, value) => text(lane, value) + (lane.dataset.unit ? "\u00a0" + lane.dataset.unit : "");

function hatch(context, ratio) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6 * ratio;
  const pen = tile.getContext("2d");
  pen.strokeStyle = ink("--ink-3");
  pen.lineWidth = ratio;
  pen.beginPath();
  for (const shift of [-6, 0, 6]) {
    pen.moveTo((shift - 1) * ratio, 7 * ratio);
    pen.lineTo((shift + 7) * ratio, -ratio);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

function background(plot) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  const band = (from, to, style, alpha) => {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
    if (right <= left) return;
    ctx.globalAlpha = alpha;
    ctx.fillStyle = style;
    ctx.fillRect(left, bbox.top, Math.max(right - left, ratio), bbox.height);
  };
  for (const [from, to] of drawn.late) band(from, to, ink("--low"), 0.16);
  const pattern = drawn.holes.length ? hatch(ctx, ratio) : null;
  for (const [from, to] of drawn.holes) band(from, to, pattern, 0.5);
  ctx.restore();
}

function marks(plot, lane) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  for (const flag of drawn.flags) {
    if (!flag.severity || flag.severity === "low") continue;
    const x = Math.round(plot.valToPos(flag.at, "x", true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = ink({ critical: "--crit", high: "--high", medium: "--med" }[flag.severity]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  for (const [value, words] of lane.limits || []) {
    const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = ctx.fillStyle = ink("--crit");
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.font = `${11 * devicePixelRatio}px ${colour("--font")}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.fillText(words, bbox.left + 4 * devicePixelRatio, y - 4 * devicePixelRatio);
  }
  const last = plot.data[1].findLastIndex((value) => value !== null && value !== undefined);
  if (last >= 0 && drawn.live) {
    ctx.fillStyle = ink("--s1");
    ctx.beginPath();
    ctx.arc(plot.valToPos(plot.data[0][last], "x", true), plot.valToPos(plot.data[1][last], "y", true), 3 * devicePixelRatio, 0, 7);
    ctx.fill();
  }
  ctx.restore();
}

function readout(plot) {
  const lane = plot.lane;
  const place = lane.querySelector("[data-readout]");
  const index = plot.cursor.idx;
  const [times, mean, high, low] = plot.data;
  if (index === null || index === undefined || plot.cursor.left < 0) {
    const last = mean.findLast((value) => value !== null);
    place.textContent = drawn.live ? withUnit(lane, last) : "";
    return;
  }
  const at = new Date(times[index] * 1000);
  const span = drawn.step >= 3600 ? moment(at) : clock(at);
  const spread = low[index] !== null && low[index] !== high[index] ? ` (${text(lane, low[index])} \u2013 ${text(lane, high[index])})` : "";
  place.textContent = `${span}  ${withUnit(lane, mean[index])}${spread}`;
}

// A limit that is farther away than the values are apart would flatten them: it is said beside the value, and not drawn.
function near(lane, least, most) {
  const limits = (lane.limits || []).map(([value]) => value);
  return limits.filter((value) => value >= least - (most - least || 1) && value <= most + (most - least || 1));
}

function range(lane, least, most) {
  if (least === null) return [0, 1];
  const limits = near(lane, least, most);
  [least, most] = [Math.min(least, ...limits), Math.max(most, ...limits)];
  const room = (most - least) * 0.1 || Math.max(Math.abs(most) * 0.1, 1);
  if (lane.dataset.unit === "%" && least >= 0 && most <= 100) return [0, 100];
  return [least >= 0 ? Math.max(0, least - room) : least - room, most + room];
}

const axisTimes = (plot, splits) =>
  splits.map((split) => {
    const at = new Date(split * 1000);
    const span = plot.scales.x.max - plot.scales.x.min;
    if (span > 172800) return moment(at).replace(/ \d{4},.*/, "");
    return span < 600 ? clock(at) : clock(at).slice(0, 5);
  });

function options(lane, index) {
  const last = index === LANES.length - 1;
  const place = lane.querySelector("[data-plot]");
  place.classList.toggle("last", last);
  const line = { stroke: () => ink("--line"), width: 1 };
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    legend: { show: false },
    padding: [6, 8, last ? 0 : 6, 0],
    cursor: {
      y: false,
      sync: { key: "robot" },
      points: { size: 7, fill: () => ink("--s1"), stroke: () => ink("--canvas"), width: 1.5 },
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => reset() },
    },
    scales: { x: { time: true, range: () => [drawn.start, drawn.end] }, y: { range: (_plot, least, most) => range(lane, least, most) } },
    axes: [
      { stroke: () => ink("--ink-3"), grid: line, ticks: { show: false }, values: last ? axisTimes : () => [], size: last ? 26 : 0, space: 80, font: `12px ${colour("--font")}` },
      {
        size: AXIS(),
        stroke: () => ink("--ink-3"),
        grid: line,
        ticks: { show: false },
        space: 30,
        font: `12px ${colour("--font")}`,
        values: (_plot, splits) => {
          const step = splits.length > 1 ? Math.abs(splits[1] - splits[0]) : 1;
          const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
          return splits.map((split) => number(split, digits, language));
        },
      },
    ],
    bands: [{ series: [2, 3], fill: () => ink("--s1").replace("rgb(", "rgba(").replace(")", ", 0.22)") }],
    series: [
      {},
      { stroke: () => ink("--s1"), width: 1.75, spanGaps: false, points: { show: (plot, _series, from, to) => to - from < 60 && drawn.step <= 1, size: 4 } },
      { stroke: "transparent", width: 0, spanGaps: false, points: { show: false } },
      { stroke: "transparent", width: 0, spanGaps: false, points: { show: false } },
    ],
    hooks: {
      drawClear: [background],
      draw: [(plot) => marks(plot, lane)],
      setCursor: [readout],
      setSelect: [
        (plot) => {
          if (plot.select.width < 4) return;
          zoom(plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x"));
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function describe(lane, values) {
  const there = values.mean.filter((value) => value !== null);
  const words = {
    what: lane.querySelector(".lane-label").textContent,
    low: there.length ? withUnit(lane, Math.min(...values.low.filter((value) => value !== null))) : "\u2014",
    high: there.length ? withUnit(lane, Math.max(...values.high.filter((value) => value !== null))) : "\u2014",
    last: withUnit(lane, there.at(-1)),
  };
  lane.querySelector("[data-plot]").setAttribute("aria-label", fill(root.dataset.label, words));
}

// Between two readings that follow each other there may be buckets without one: they are joined, as `undefined`. A hole stays `null`.
function joined(times, values) {
  const there = [];
  values.forEach((value, index) => { if (value !== null) there.push(index); });
  const apart = there.slice(1).map((index, at) => index - there[at]).sort((a, b) => a - b);
  const most = Math.max(LEAST_JOINED, 2.5 * (apart[apart.length >> 1] || 1));
  const made = values.slice();
  for (let at = 1; at < there.length; at++) {
    const [from, to] = [there[at - 1], there[at]];
    const hole = drawn.holes.some(([first, last]) => first < times[to] && last > times[from]);
    if (to - from > 1 && to - from <= most && !hole) made.fill(undefined, from + 1, to);
  }
  return made;
}

function show(said) {
  drawn = said;
  const known = new Map(said.lanes.map((lane) => [lane.metric, lane]));
  LANES.forEach((lane, index) => {
    const values = known.get(lane.dataset.metric);
    if (!values) return;
    const data = [said.at, ...[values.mean, values.high, values.low].map((line) => joined(said.at, line))];
    lane.limits = values.limits;
    if (plots[index]) plots[index].setData(data);
    else {
      const place = lane.querySelector("[data-plot]");
      const plot = new uPlot(options(lane, index), data, place);
      plot.lane = lane;
      plots[index] = plot;
    }
    describe(lane, values);
    readout(plots[index]);
  });
  events(root.querySelector("[data-events]"), said, AXIS());
  root.querySelector("[data-note]").textContent = said.note;
  root.querySelector("[data-reset]").hidden = said.live;
}

function query() {
  const parts = new URLSearchParams();
  if (chosen) {
    parts.set("from", Math.floor(chosen[0]));
    parts.set("to", Math.ceil(chosen[1]));
  } else parts.set("range", root.dataset.range);
  for (const lane of LANES) parts.append("m", lane.dataset.metric);
  return parts;
}

async function load() {
  if (!LANES.length) return;
  if (waiting) waiting.abort();
  const mine = (waiting = new AbortController());
  root.classList.add("loading");
  try {
    const answer = await fetch(`${root.dataset.series}?${query()}`, { signal: mine.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const said = await answer.json();
    for (const lane of said.lanes) for (const name of ["low", "high"]) lane[name] = Object.assign(lane.mean.slice(), lane[name]);
    said.at = Array.from({ length: said.count }, (_, index) => said.first + index * said.step);
    loadedAt = Date.now();
    show(said);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (drawn) root.querySelector("[data-note]").textContent = fill(root.dataset.failed, { age: age(now() - drawn.now) });
  } finally {
    if (waiting === mine) {
      waiting = null;
      root.classList.remove("loading");
    }
  }
}

// Zoom: in the address, so that it can be sent to somebody

function address() {
  const parts = new URLSearchParams(location.search);
  for (const name of ["from", "to", "range"]) parts.delete(name);
  if (chosen) {
    parts.set("from", Math.floor(chosen[0]));
    parts.set("to", Math.ceil(chosen[1]));
  } else if (root.dataset.range !== "90m") parts.set("range", root.dataset.range);
  return `${location.pathname}${parts.size ? "?" + parts : ""}${location.hash}`;
}

function zoom(from, to) {
  const end = Math.min(to, now());
  const start = Math.min(from, end - LEAST_S);
  chosen = [start, end];
  history.pushState({ chosen }, "", address());
  load();
}

function reset() {
  if (!chosen) return;
  chosen = null;
  history.pushState({ chosen }, "", address());
  load();
}

addEventListener("popstate", () => {
  const parts = new URLSearchParams(location.search);
  chosen = parts.has("from") ? [Number(parts.get("from")), Number(parts.get("to"))] : null;
  load();
});
root.querySelector("[data-reset]").addEventListener("click", reset);

function key(event) {
  const plot = plots[LANES.indexOf(event.target.closest(".lane"))];
  if (!plot || event.ctrlKey || event.metaKey || event.altKey) return;
  const width = drawn.end - drawn.start;
  const middle = plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : drawn.end - width / 2;
  const step = (direction) => {
    if (event.shiftKey) return zoom(drawn.start + (direction * width) / 4, drawn.end + (direction * width) / 4);
    const at = plot.cursor.left < 0 ? (direction > 0 ? 0 : plot.over.clientWidth) : plot.cursor.left + direction * Math.max(1, plot.over.clientWidth / drawn.at.length);
    plot.setCursor({ left: Math.max(0, Math.min(plot.over.clientWidth - 1, at)), top: 10 }, true, true);
  };
  const acts = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    "+": () => zoom(middle - width / 4, middle + width / 4),
    "-": () => zoom(middle - width, middle + width),
    0: reset,
    Escape: () => plot.setCursor({ left: -10, top: -10 }, true, true),
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
}
for (const lane of LANES) lane.querySelector("[data-plot]").addEventListener("keydown", key);

// The table behind it all

const data = document.getElementById("data");
if (data) {
  data.addEventListener("toggle", async () => {
    if (!data.open) return;
    const rows = data.querySelector("[data-rows]");
    const answer = await fetch(`${root.dataset.table}?${query()}`, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    rows.innerHTML = await answer.text();
    localise(rows);
  });
}

// Size, theme, time

new ResizeObserver(() => {
  plots.forEach((plot, index) => {
    const place = LANES[index].querySelector("[data-plot]");
    if (plot && place.clientWidth && place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: place.clientHeight });
  });
  if (drawn) events(root.querySelector("[data-events]"), drawn, AXIS());
}).observe(root);

function repaint() {
  resolved.clear();
  for (const plot of plots) if (plot) plot.redraw(false, true);
}
onZone(repaint);
new MutationObserver(repaint).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

setInterval(() => {
  if (document.hidden || isFrozen() || chosen || waiting || !drawn || !drawn.live) return;
  if (document.documentElement.classList.contains("lost")) return;
  if (Date.now() - loadedAt >= Math.max(2, Math.min(60, drawn.step)) * 1000) load();
}, 1000);

// The face first: a canvas does not draw again by itself when it comes.
document.fonts.ready.then(load);

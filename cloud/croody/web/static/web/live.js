// The live connection of a page: one EventSource, ages that count by themselves, pause, and the banner when Croody is away.
// What changes is worded by the server and placed by place.js; a page adds its own part with onPlaced(function (message) {...}).
import { age, attribute, clock, everySecond, fill, moment, offset, plural, second, set } from "./ages.js";
import { meant } from "./keys.js";
import { ageing, arrange, forget, pieces, texts } from "./place.js";

const live = () => document.getElementById("live");
const words = JSON.parse(document.getElementById("words").textContent);
const banner = document.getElementById("banner");
const caughtUp = document.getElementById("caught-up");
const icon = document.querySelector('link[rel="icon"]');
// A message comes every 4 s at the latest; two that do not come mean that the line is dead.
const SILENT_S = 9;
const WAIT_S = [1, 2, 4, 8, 15];
// The server looks once a second, and what it says is a little later now and then: the page's own second waits for it, and both are one picture.
const LATE_MS = 400;

let skew = Number(live().dataset.now) - Date.now() / 1000;
let heardAt = Date.now();
let goodUntil = Number(live().dataset.now);
let source = null;
let tries = 0;
let retryAt = 0;
let trouble = null; // {kind: "lost" | "database" | "deaf", since: unix seconds}
let changedMeanwhile = new Set();
let title = document.title;
let frozen = null; // {at: Date, waiting: number} while the reader holds the picture
const listeners = [];

export const now = () => Date.now() / 1000 + skew;
export const onPlaced = (listener) => listeners.push(listener);
export const isFrozen = () => Boolean(frozen);

// Connection

export function connect() {
  if (source) source.close();
  retryAt = 0;
  heardAt = Date.now();
  const address = live().dataset.stream;
  source = new EventSource(`${address}${address.includes("?") ? "&" : "?"}version=${live().dataset.version || ""}`);
  source.addEventListener("page", (event) => take(JSON.parse(event.data)));
  source.addEventListener("state", (event) => {
    heardAt = Date.now();
    const state = JSON.parse(event.data);
    if (state.database === "lost") setTrouble("database", state.since);
  });
  source.addEventListener("error", lost);
}

function lost() {
  source.close();
  setTrouble("lost", goodUntil);
  const wait = WAIT_S[Math.min(tries++, WAIT_S.length - 1)];
  retryAt = Date.now() + wait * 1000 * (0.8 + 0.4 * Math.random());
}

function take(message) {
  heardAt = Date.now();
  tries = 0;
  skew = message.now - Date.now() / 1000;
  goodUntil = message.now;
  const robots = Object.keys(message.texts || {}).filter(Boolean);
  if (message.deaf_since !== null) setTrouble("deaf", message.deaf_since);
  else setTrouble(null);
  if (trouble) for (const robot of robots) changedMeanwhile.add(robot);
  if (frozen) {
    frozen.waiting += robots.length;
    return;
  }
  put(message);
}

function put(message) {
  if (message.whole) known.clear();
  for (const [robot, fields] of Object.entries(message.texts || {})) known.set(robot, { ...known.get(robot), ...fields });
  if (message.version) attribute(live(), "data-version", message.version);
  const fresh = message.html ? pieces(message.html) : new Map();
  for (const [id, element] of fresh) held.fresh.set(id, element);
  for (const [list, ids] of Object.entries(message.lists || {})) {
    const container = document.getElementById(list);
    if (list === "rows" || (container && "steady" in container.dataset)) held.lists.set(list, ids);
    else arrange(list, ids, fresh);
  }
  settle();
  if (message.texts) {
    texts(message.texts);
    if (message.texts[""] && message.texts[""].title) {
      title = message.texts[""].title;
      if (!trouble) document.title = title;
    }
    if (message.texts[""] && message.texts[""].critical !== undefined && icon.dataset.critical) {
      attribute(icon, "data-urgent", message.texts[""].critical ? "yes" : "");
      if (!trouble) attribute(icon, "href", wellIcon());
    }
  }
  if (message.html) showPause();
  for (const listener of listeners) listener(message);
  second(LATE_MS);
}

// The order of rows: nothing moves under the hand

// List -> ids of its elements in the order that they will have.
const held = { lists: new Map(), fresh: new Map() };
// Robot -> its texts as of now: a row that was held back is filled with them when it comes.
const known = new Map();

function busy(list) {
  return list.matches(":hover") || list.contains(document.activeElement);
}

// Whether the button that orders the rows anew is there to be pressed.
let offered = false;

function settle(now = false) {
  for (const [id, ids] of held.lists) {
    const list = document.getElementById(id);
    if (list && !now && busy(list) && list.firstElementChild) continue;
    held.lists.delete(id);
    if (!list) continue;
    arrange(id, ids, held.fresh);
    const late = ids.map((one) => held.fresh.get(one)).filter(Boolean);
    const robots = late.map((row) => row.dataset.robot).filter((robot) => known.has(robot));
    texts(Object.fromEntries(robots.map((robot) => [robot, known.get(robot)])));
  }
  if (!held.lists.size) held.fresh.clear();
  const rows = held.lists.get("rows");
  if (!rows && !offered) return;
  const button = document.querySelector("[data-reorder]");
  if (!button) return;
  offered = Boolean(rows);
  button.hidden = !rows;
  if (!rows) return;
  const there = [...document.getElementById("rows").children].map((row) => row.id);
  set(button, plural(words.reorder, Math.max(1, rows.filter((id, place) => there[place] !== id).length)));
}

// The banner: what is wrong since when, and how old is what one sees

// While a critical alarm waits for somebody the icon says it.
const wellIcon = () => (icon.dataset.urgent ? icon.dataset.critical : icon.dataset.live);

function setTrouble(kind, since) {
  if (kind === null) {
    if (!trouble && banner.hidden) return;
    if (trouble) {
      const count = changedMeanwhile.size;
      caughtUp.textContent = count > 1 ? fill(words.back, { count }) : words.backOne;
      caughtUp.hidden = false;
      setTimeout(() => { caughtUp.hidden = true; }, 5000);
    }
    if (trouble) document.title = title;
    trouble = null;
    changedMeanwhile = new Set();
    banner.hidden = true;
    document.documentElement.classList.remove("lost");
    icon.href = wellIcon();
    return;
  }
  if (!trouble || trouble.kind !== kind) {
    trouble = { kind, since: trouble ? Math.min(trouble.since, since) : since };
    const what = fill(words[kind], { clock: clock(new Date((trouble.since - skew) * 1000)) });
    banner.querySelector("[data-what]").textContent = what;
    // A tab in the background says it, too: its sentence is old.
    document.title = `${what} · Croody`;
    banner.querySelector("[data-retry]").hidden = kind !== "lost";
    banner.hidden = false;
    document.documentElement.classList.add("lost");
    icon.href = icon.dataset.lost;
  }
  caughtUp.hidden = true;
  tickBanner();
}

function tickBanner() {
  if (!trouble) return;
  banner.querySelector("[data-how-old]").textContent = fill(words.old, { age: age(now() - trouble.since) });
  const countdown = banner.querySelector("[data-countdown]");
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  countdown.textContent = trouble.kind !== "lost" ? "" : retryAt && seconds > 0 ? fill(words.retryIn, { seconds }) : words.retrying;
}

// Ages

function ages() {
  const at = now();
  for (const element of ageing()) {
    const told = element.dataset;
    // Since when what is written beside it holds: no message moves that.
    const then = told.since || told.at;
    if (!then) continue;
    const text = age(at - Number(then));
    const sentence = told.since ? words.since : "ago" in told ? words.ago : "newest" in told ? `; ${words.newest}.` : "";
    set(element, sentence ? fill(sentence, { age: text }) : text);
  }
  if (pointed?.isConnected && pointed.matches(":hover")) exactly(pointed);
}

// The moment behind an age is worded for whoever points at it: on a page of a hundred rows nobody reads the other ninety-nine.
function exactly(element) {
  if (!element) return;
  const at = new Date(Number(element.dataset.at) * 1000);
  attribute(element, "title", `${moment(at)} (${offset(at)})`);
}
let pointed = null;
for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, (event) => {
    pointed = event.target.closest?.("[data-age][data-at]");
    exactly(pointed);
  });
}

// Pause: the picture stands still, and says since when and how much waits

function showFrozen() {
  const note = document.querySelector("[data-frozen]");
  if (note) set(note, fill(words.paused, { clock: clock(frozen.at) }) + " " + plural(words.waiting, frozen.waiting));
}

function showPause() {
  const button = document.querySelector("[data-pause]");
  if (!button) return;
  attribute(button, "aria-pressed", String(Boolean(frozen)));
  const use = button.querySelector("use");
  attribute(use, "href", use.getAttribute("href").replace(/#.*$/, frozen ? "#play" : "#pause"));
  set(button.querySelector("[data-label]"), frozen ? words.resume : words.pause);
}

export function pause() {
  if (frozen) {
    frozen = null;
    // Everything anew: what was not shown is not known here.
    connect();
  } else {
    frozen = { at: new Date(), waiting: 0 };
  }
  document.documentElement.classList.toggle("frozen", Boolean(frozen));
  showPause();
  if (frozen) showFrozen();
  ages();
}

// Another page of the same kind stands here now: its stream is another one.
export function moved() {
  forget();
  title = document.title;
  held.lists.clear();
  held.fresh.clear();
  frozen = null;
  document.documentElement.classList.remove("frozen");
  showPause();
  connect();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-pause]")) pause();
  if (event.target.closest("[data-reorder]")) settle(true);
});
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "p" && meant(event) && document.querySelector("[data-pause]")) pause();
});
banner.querySelector("[data-retry]").addEventListener("click", connect);
addEventListener("online", () => { if (retryAt) connect(); });
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && retryAt) connect();
});
addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
addEventListener("pagehide", () => { if (source) source.close(); });

everySecond(() => {
  ages();
  if (!frozen) settle();
  tickBanner();
  if (frozen) showFrozen();
});
// A page that nobody sees keeps its line all the same.
setInterval(() => {
  if (retryAt && Date.now() >= retryAt) connect();
  else if (!retryAt && source && Date.now() - heardAt > SILENT_S * 1000) lost();
}, 1000);

if (live().hasAttribute("data-lost")) setTrouble("database", now());
connect();

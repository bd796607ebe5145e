// Ages that go on counting, and times in the reader's own zone. Numbers and their units are the server's; these two only a browser can know.
const NBSP = "\u00a0";
const two = (number) => String(number).padStart(2, "0");

// As `age` of croody/web/formats.py, which makes the first text; a test holds both to one table.
export function age(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return whole + NBSP + "s";
  if (whole < 3600) return Math.floor(whole / 60) + NBSP + "min";
  if (whole < 86400) {
    const minutes = Math.floor((whole % 3600) / 60);
    return Math.floor(whole / 3600) + NBSP + "h" + (minutes ? " " + minutes + NBSP + "min" : "");
  }
  return Math.floor(whole / 86400) + NBSP + "d";
}

// What a page does each second, all of it at once: each thing that changes on its own costs a layout and a paint of its own.
const EVERY_MS = 1000;
const acts = [];
let due = 0;

export function everySecond(act) {
  acts.push(act);
  if (!due) due = setTimeout(second, EVERY_MS);
}

// Do it now, with whatever else changes now; the next time is a second from here, or so much later as the next news may be late.
export function second(late = 0) {
  clearTimeout(due);
  due = setTimeout(second, EVERY_MS + late);
  if (document.hidden) return;
  for (const act of acts) act();
}

document.addEventListener("visibilitychange", () => second());

// The zone of all times on the page: the reader's own, or the one they chose; once for all pages.
const root = document.documentElement;
const listeners = [];
const inUtc = () => root.dataset.zone === "UTC";
// The zone that the reader's preferences name; without one it is the browser's.
const home = root.dataset.home && new Intl.DateTimeFormat("en-GB", {
  timeZone: root.dataset.home, hourCycle: "h23",
  year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
});

function atHome(at) {
  const found = Object.fromEntries(home.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return [found.year, found.month - 1, found.day, found.hour, found.minute, found.second];
}

export const onZone = (listener) => listeners.push(listener);

export function setZone(zone) {
  if (zone) root.dataset.zone = zone;
  else delete root.dataset.zone;
  try {
    if (zone) localStorage.setItem("zone", zone);
    else localStorage.removeItem("zone");
  } catch (_) {
    // Remembered for this page only.
  }
  localise(document);
  for (const listener of listeners) listener();
}

// Parts of a moment as the reader's clock shows them.
function parts(at) {
  if (home && !inUtc()) return atHome(at);
  if (!inUtc()) return [at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()];
  return [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
}

export function clock(at) {
  const [, , , hours, minutes, seconds] = parts(at);
  return `${two(hours)}:${two(minutes)}:${two(seconds)}`;
}

export function moment(at) {
  const months = root.dataset.months.split(" ");
  const [year, month, day, hours, minutes] = parts(at);
  return `${day} ${months[month]} ${year}, ${two(hours)}:${two(minutes)}`;
}

// As a field for date and time has it.
export function written(at) {
  const [year, month, day, hours, minutes] = parts(at);
  return `${String(year).padStart(4, "0")}-${two(month + 1)}-${two(day)}T${two(hours)}:${two(minutes)}`;
}

// The name of the zone.
export const zoneName = () => (inUtc() ? "UTC" : root.dataset.home || Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");

export function offset(at) {
  const minutes = inUtc() ? 0 : home ? Math.round((Date.UTC(...atHome(at)) - at) / 60000) : -at.getTimezoneOffset();
  if (!minutes) return "UTC";
  return "UTC" + (minutes < 0 ? "\u2212" : "+") + two(Math.floor(Math.abs(minutes) / 60)) + ":" + two(Math.abs(minutes) % 60);
}

// A sentence of the server's with its names filled in.
export const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
// One of two forms, for a count.
export const plural = (forms, count) => fill(forms[count === 1 ? 0 : 1], { count });

// The clock of today; before that the day, too.
function short(at) {
  const [year, month, day, hours, minutes] = parts(at);
  if (parts(new Date()).slice(0, 3).join() === [year, month, day].join()) return clock(at);
  const months = root.dataset.months.split(" ");
  return `${day} ${months[month]} ${two(hours)}:${two(minutes)}`;
}

// A text in its place, when it is another one: the node stays, so that only its line is laid out again.
export function set(element, text) {
  const node = element.firstChild;
  if (node && node === element.lastChild && node.nodeType === Node.TEXT_NODE) {
    if (node.data !== text) node.data = text;
  } else if (element.textContent !== text) {
    element.textContent = text;
  }
}

// An attribute, when it is another one: what is written as it was still costs a style and a paint.
export function attribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function localise(scope) {
  for (const element of scope.querySelectorAll("time[data-local]")) {
    const at = new Date(element.dateTime);
    set(element, element.dataset.local === "short" ? short(at) : moment(at));
    attribute(element, "title", `${moment(at)} (${offset(at)}) · ${at.toISOString().slice(0, 16).replace("T", " ")} UTC`);
  }
}

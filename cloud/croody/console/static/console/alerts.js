// The inbox: moving through it, acting by keyboard, and drawing it again when something changed. The server makes every word and number;
// without this file each link and form does the same by itself.
import { Idiomorph } from "../vendor/idiomorph-0.8.0/idiomorph.esm.min.js";
import { everySecond, localise, plural } from "../web/ages.js";
import { meant } from "../web/keys.js";
import { isFrozen, onPlaced } from "../web/live.js";
import { MORPH, forget } from "../web/place.js";

const TOAST_MS = 8000;
const words = JSON.parse(document.getElementById("words").textContent);
const live = () => document.getElementById("live");
const rows = () => [...document.querySelectorAll("#rows > li")];
const current = () => document.querySelector("#rows > li.current");

// Drawing

// Selector -> what the server said there last, without what the browser words by itself and the token that is another one each time.
const said = new Map();

function bare(element) {
  const copy = element.cloneNode(true);
  for (const one of copy.querySelectorAll("[data-age], [data-ago], [data-since]")) one.textContent = "";
  for (const one of copy.querySelectorAll("[name=csrfmiddlewaretoken]")) one.removeAttribute("value");
  return copy.outerHTML;
}

function put(fresh, selector) {
  const old = document.querySelector(selector);
  const made = fresh.querySelector(selector);
  if (!old || !made) return;
  const now = bare(made);
  if (said.get(selector) === now) return;
  said.set(selector, now);
  Idiomorph.morph(old, made, MORPH);
}

function settled() {
  forget();
  localise(live());
  watchToast();
}

async function page(address, options) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, ...options });
  if (!answer.ok || !answer.headers.get("Content-Type").startsWith("text/html")) throw new Error(String(answer.status));
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  // Another page than this one: the log-in, where the session ended. The browser goes there itself.
  if (!fresh.getElementById("live")) throw new Error(answer.url);
  return [fresh, answer.url];
}

// The answer of an act has the rows that it changed; the others are those that are here. False: one of them is not.
function complete(fresh) {
  const order = fresh.getElementById("live").dataset.order;
  const list = fresh.getElementById("rows");
  if (!order) return true;
  if (!list) return false;
  for (const number of order.split(" ")) {
    const id = `alert-${number}`;
    let row = fresh.getElementById(id);
    if (!row) {
      const here = document.getElementById(id);
      if (!here) return false;
      row = fresh.importNode(here, true);
      row.classList.remove("current");
      row.querySelector("a").removeAttribute("aria-current");
    }
    list.append(row);
  }
  return true;
}

function replace(fresh) {
  said.clear();
  const chosen = document.querySelectorAll("#rows input:checked").length;
  for (const box of document.querySelectorAll("#rows input:checked")) box.checked = false;
  for (const sheet of document.querySelectorAll(".sheet[open]")) sheet.open = false;
  put(fresh, "#live");
  put(fresh, "#bell-rail");
  put(fresh, "#bell-bar");
  document.title = fresh.title;
  mark = shown = live().dataset.mark;
  know(mark);
  held = null;
  if (chosen) anchor = null;
  settled();
}

let coming = 0;
async function visit(address, push = true) {
  const mine = ++coming;
  try {
    const [fresh, url] = await page(address);
    if (mine !== coming) return;
    replace(fresh);
    if (push) history.pushState(null, "", url);
    const row = current();
    if (row) row.scrollIntoView({ block: "nearest" });
  } catch (_) {
    location.href = address;
  }
}

// Something changed: what is in sight stays under the hand, counts do not wait.

let mark = live().dataset.mark;
let shown = mark; // Which state the rows in sight are of: what waits for the hand to go away is not in them.
let held = null;
let asking = false;

function busy() {
  const list = document.getElementById("rows");
  return Boolean(list) && (list.contains(document.activeElement) || (matchMedia("(hover: hover)").matches && list.matches(":hover")));
}

function writing() {
  const text = document.getElementById("comment");
  return Boolean(document.querySelector(".sheet[open]") || (text && text.value) || document.querySelector("#rows input:checked"));
}

function settle(force = false) {
  const button = document.querySelector("[data-waiting]");
  if (!held) return;
  if (force || !busy()) {
    put(held, "section.list");
    shown = held.getElementById("live").dataset.mark;
    held = null;
    settled();
    return;
  }
  if (!button) return;
  const now = [...held.querySelectorAll("#rows > li")].map((row) => row.id);
  const there = rows().map((row) => row.id);
  const count = now.filter((id) => !there.includes(id)).length + there.filter((id) => !now.includes(id)).length;
  button.textContent = plural(words.reorder, Math.max(1, count));
  button.hidden = false;
}

async function refresh() {
  if (asking || isFrozen()) return;
  asking = true;
  const asked = location.href;
  try {
    const [fresh] = await page(asked);
    // Somebody went on meanwhile: the page that is shown now is newer than this answer.
    if (location.href !== asked) return;
    mark = fresh.getElementById("live").dataset.mark;
    put(fresh, "#live > .head");
    put(fresh, ".rail-pages");
    put(fresh, ".bottom-bar > ul");
    document.title = fresh.title;
    if (!writing()) {
      put(fresh, "#evidence");
      held = fresh;
      settle();
    }
    settled();
  } catch (_) {
    mark = null; // The banner says that the line is dead; on return the mark differs, and it is asked again.
  } finally {
    asking = false;
  }
}

// Marks that this page has shown of late: a stream that is slow says them once more, and then what is newer.
const KNOWN_MS = 10_000, LATE_MS = 3_000;
const known = new Map();
function know(one) {
  clearTimeout(known.get(one));
  known.set(one, setTimeout(() => known.delete(one), KNOWN_MS));
}
know(mark);

// What the stream said last. While an act is under way its own answer says what changed, often after the stream did.
let heard = null;
let acting = 0;

function listen() {
  if (acting || heard === null || heard === mark) return;
  mark = heard;
  refresh();
}

onPlaced((message) => {
  const fresh = message.data && message.data.mark;
  if (fresh === undefined || fresh === mark) return;
  heard = fresh;
  setTimeout(listen, known.has(fresh) ? LATE_MS : Math.random() * 300);
});
everySecond(() => settle());

// Acting

async function send(form, button) {
  const body = new FormData(form, button);
  const address = (button && button.getAttribute("formaction")) || form.action;
  acting++;
  try {
    const headers = { Accept: "text/html", "X-Fragment": "alert", "X-Mark": shown };
    const [fresh, answered] = await page(address, { method: "POST", body: new URLSearchParams(body), headers });
    const url = fresh.getElementById("live").dataset.address || answered;
    if (complete(fresh)) {
      replace(fresh);
    } else {
      const [whole] = await page(url);
      whole.getElementById("told").replaceWith(fresh.getElementById("told"));
      replace(whole);
    }
    history.replaceState(null, "", url);
    const at = document.activeElement;
    const row = current();
    const aside = at === document.body || (at.closest("#rows") && !row?.contains(at));
    if (row && aside && matchMedia("(min-width: 901px)").matches) row.querySelector("a").focus({ preventScroll: true });
  } catch (_) {
    if (button) form.requestSubmit(button);
    else form.submit();
  } finally {
    acting--;
    listen();
  }
}

const direct = new WeakSet();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !live().contains(form) || direct.has(form)) return;
  event.preventDefault();
  direct.add(form); // Whatever goes wrong, the next time it does what it does without script.
  send(form, event.submitter).finally(() => direct.delete(form));
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-waiting]")) settle(true);
  const link = event.target.closest("#live .rows a, #live .segments a, #live .pages a, #live .back a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  visit(link.href);
});
document.addEventListener("click", (event) => {
  for (const sheet of document.querySelectorAll(".sheet[open]")) if (!sheet.contains(event.target)) sheet.open = false;
});
// What would open beyond the window's edge opens the other way.
document.addEventListener("toggle", (event) => {
  const sheet = event.target;
  if (!sheet.matches(".sheet")) return;
  sheet.classList.remove("leftwards");
  const form = sheet.open && sheet.querySelector("form");
  if (form && form.getBoundingClientRect().right > document.documentElement.clientWidth) sheet.classList.add("leftwards");
}, true);
addEventListener("popstate", () => visit(location.href, false));
const filters = () => document.getElementById("filters");
document.addEventListener("change", (event) => {
  if (filters() && filters().contains(event.target)) search();
});
document.addEventListener("submit", (event) => {
  if (event.target !== filters()) return;
  event.preventDefault();
  search();
});
function search() {
  const told = [...new FormData(filters())].filter(([, value]) => value);
  visit(`${filters().action.split("?")[0]}?${new URLSearchParams(told)}`);
}

// The toast: eight seconds, longer while somebody is at it.

let toastTimer = 0;
function watchToast() {
  const toast = document.querySelector("[data-toast]");
  if (!toast || toast.dataset.seen) return;
  toast.dataset.seen = "1";
  clearTimeout(toastTimer);
  const end = () => {
    if (toast.matches(":hover") || toast.contains(document.activeElement)) toastTimer = setTimeout(end, 1000);
    else toast.remove();
  };
  toastTimer = setTimeout(end, TOAST_MS);
}

// Keys

let anchor = null; // The row from which Shift X chooses.
let moving = 0;

function move(by) {
  const all = rows();
  if (!all.length) return;
  const here = document.activeElement.closest && document.activeElement.closest("#rows > li");
  const from = all.indexOf(here || current());
  const next = all[Math.min(all.length - 1, Math.max(0, from + by))];
  const link = next.querySelector("a");
  link.focus();
  if (!matchMedia("(min-width: 901px)").matches) return;
  clearTimeout(moving);
  moving = setTimeout(() => visit(link.href), 150);
}

function choose(range) {
  const all = rows();
  const here = document.activeElement.closest("#rows > li") || current();
  if (!here) return;
  const box = here.querySelector("input");
  if (range && anchor !== null) {
    const [from, to] = [all.findIndex((row) => row.id === anchor), all.indexOf(here)].sort((a, b) => a - b);
    for (const row of all.slice(Math.max(0, from), to + 1)) row.querySelector("input").checked = true;
  } else {
    box.checked = !box.checked;
    anchor = here.id;
  }
}

// On all that are chosen, else on the one that is shown.
function press(key) {
  const chosen = document.querySelector("#rows input:checked");
  const verbs = { a: "acknowledge", r: "close", s: "snooze", m: "assign" };
  if (chosen && verbs[key]) {
    const button = document.querySelector(`#bulk button[formaction*="/${verbs[key]}/"]`);
    if (button) button.click();
    return;
  }
  const button = document.querySelector(`#alert [data-key="${key}"]`);
  if (!button || button.disabled) return;
  if (button.nodeName === "SUMMARY") {
    button.parentElement.open = true;
    button.parentElement.querySelector("form button, form input:not([type=hidden])").focus();
  } else {
    button.click();
  }
}

const ACTS = {
  j: () => move(1),
  k: () => move(-1),
  x: (event) => choose(event.shiftKey),
  z: () => { const form = document.querySelector("[data-undo]"); if (form) form.requestSubmit(); },
};

// The filter is folded: whoever presses / wants it open, before it is given the focus.
addEventListener("keydown", (event) => {
  if (event.key === "/" && meant(event)) document.querySelector(".filter").open = true;
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const sheet of document.querySelectorAll(".sheet[open]")) {
      sheet.open = false;
      sheet.querySelector("summary").focus();
    }
  }
  if (!meant(event)) return;
  const key = event.key.toLowerCase();
  const act = ACTS[key] || ("arfsm".includes(key) && key.length === 1 ? () => press(key) : null);
  if (!act) return;
  event.preventDefault();
  act(event);
});

settled();

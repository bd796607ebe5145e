// What every page of the console does: clocks, the palette, keys. Without it everything still works.
import { clock, everySecond, offset, set, setZone } from "../web/ages.js";
import "./draft.js";
import { meant, setSingleKeys, singleKeys } from "../web/keys.js";

const root = document.documentElement;

// Clocks: the reader's and UTC beside it; one switch for all times of all pages

const ZONE = root.dataset.home || Intl.DateTimeFormat().resolvedOptions().timeZone || "";
const PLACE = ZONE.split("/").pop().replaceAll("_", " ");

function tick() {
  const button = document.querySelector("[data-zone-switch]");
  if (!button) return;
  const now = new Date();
  const utc = root.dataset.zone === "UTC";
  const title = utc ? button.dataset.utc : button.dataset.local;
  set(button.querySelector("[data-clock-local]"), clock(now));
  set(button.querySelector("[data-clock-utc]"), `${now.toISOString().slice(11, 19)} UTC`);
  set(button.querySelector("[data-clock-zone]"), utc ? "UTC" : PLACE || offset(now));
  // What stays as it is from one second to the next is not written again.
  if (button.title === title && "ready" in button.dataset) return;
  button.querySelector(".clock-other").hidden = utc || PLACE === "UTC";
  button.dataset.ready = "";
  button.title = title;
}

// Whether what one sees is live, held or lost, in a word beside the clock.
function link() {
  const word = document.querySelector("[data-link]");
  if (!word) return;
  const state = root.classList.contains("lost") ? "lost" : root.classList.contains("frozen") ? "frozenWord" : "live";
  word.textContent = word.dataset[state];
  word.dataset.state = state;
}
new MutationObserver(link).observe(root, { attributeFilter: ["class"] });

// The palette

const palette = document.getElementById("palette");
const field = palette.querySelector("input");
const answers = document.getElementById("palette-answers");
let asked = null;
let waiting = 0;

const options = () => [...answers.querySelectorAll("[role=option]:not([aria-disabled])")];

function choose(index) {
  const all = options();
  if (!all.length) return;
  const chosen = all[(index + all.length) % all.length];
  for (const one of all) one.setAttribute("aria-selected", String(one === chosen));
  field.setAttribute("aria-activedescendant", chosen.id);
  chosen.scrollIntoView({ block: "nearest" });
}

const chosen = () => options().findIndex((one) => one.getAttribute("aria-selected") === "true");

async function ask() {
  if (asked) asked.abort();
  asked = new AbortController();
  const robot = document.querySelector("[data-robot-in-view]");
  const query = new URLSearchParams({ q: field.value, on: robot ? robot.dataset.robotInView : "" });
  try {
    const answer = await fetch(`${palette.dataset.find}?${query}`, { headers: { "X-Fragment": "palette" }, signal: asked.signal });
    // Signed out: the page itself leads to the log-in.
    if (answer.redirected || !answer.ok) return;
    answers.innerHTML = await answer.text();
    choose(0);
  } catch (_) {
    // A newer question, or no connection: what stands there stays.
  }
}

function open() {
  if (palette.open) return;
  field.value = "";
  answers.replaceChildren();
  palette.showModal();
  ask();
}

field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(ask, 60);
});
palette.addEventListener("keydown", (event) => {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) {
    event.preventDefault();
    choose(chosen() + steps[event.key]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    const one = options()[chosen()];
    if (one) one.click();
  }
});
answers.addEventListener("pointermove", (event) => {
  const one = event.target.closest("[role=option]");
  if (one && one.getAttribute("aria-selected") !== "true") choose(options().indexOf(one));
});

// Keys

const keys = document.getElementById("keys");
const single = keys.querySelector("[data-single-keys]");
single.addEventListener("change", () => setSingleKeys(single.checked));

function help() {
  single.checked = singleKeys();
  if (!keys.open) keys.showModal();
}

document.addEventListener("click", (event) => {
  if (event.target === palette) palette.close();
  if (event.target === keys) keys.close();
  if (event.target.closest("[data-keys]")) help();
  if (event.target.closest("[data-zone-switch]")) {
    setZone(root.dataset.zone === "UTC" ? "" : "UTC");
    tick();
  }
  const opener = event.target.closest("[data-palette]");
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    open();
  }
});

let began = 0; // when G was pressed

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open();
    return;
  }
  if (!meant(event)) return;
  const key = event.key.toUpperCase();
  if (Date.now() - began < 1500) {
    began = 0;
    const page = keys.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (page) {
      // Another script's key of this letter is not meant.
      event.stopImmediatePropagation();
      event.preventDefault();
      location.assign(page.dataset.address);
    }
  } else if (key === "G") {
    began = Date.now();
  } else if (key === "?") {
    event.preventDefault();
    help();
  } else if (key === "/") {
    const filter = document.querySelector("main [type=search]");
    if (!filter) return;
    event.preventDefault();
    filter.focus();
    filter.select();
  }
}, true);

link();
tick();
everySecond(tick);

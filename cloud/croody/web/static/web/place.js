// Puts what the server says into the page: texts, pieces of HTML, the order of lists. Makes no word and no number.
import { Idiomorph } from "../vendor/idiomorph-0.8.0/idiomorph.esm.min.js";
import { attribute, set } from "./ages.js";

// Robot -> its elements, each with its fields; and all that has an age. Found again when the structure changes.
let index = null;
let aging = null;

// Rows that nobody sees get their texts when they come into sight, and a few of them with each message: what is searched for in the page,
// printed or read aloud is some seconds old at most.
const FEW = 10;
const watched = new WeakSet();
const hidden = new WeakSet();
const waiting = new Map(); // element -> [its place in the index, fields]
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) hidden.add(target);
      else if (hidden.delete(target)) catchUp(target);
    }
  },
  { rootMargin: "25%" },
);

// What has an age, or says since when something holds, as long as somebody sees it.
export function ageing() {
  aging ||= [...document.querySelectorAll("[data-age], [data-ago], [data-since], [data-newest]")].map((element) => [element, element.closest("[data-robot]")]);
  return aging.filter(([, row]) => !hidden.has(row)).map(([element]) => element);
}

function catchUp(element) {
  const [one, fields] = waiting.get(element) || [];
  waiting.delete(element);
  if (one && element.isConnected) write(one, fields);
}

// On paper everything is in sight.
addEventListener("beforeprint", () => [...waiting.keys()].forEach(catchUp));

function elements(robot) {
  if (!index) {
    index = new Map();
    for (const element of document.querySelectorAll("[data-robot]")) {
      const known = index.get(element.dataset.robot) || [];
      const inside = [...element.querySelectorAll("[data-t]")];
      const fields = (element.dataset.t ? [element, ...inside] : inside).map((field) => [field.dataset.t, field]);
      known.push({ element, fields, ages: element.querySelectorAll("[data-age], [data-ago]") });
      index.set(element.dataset.robot, known);
      if (element.matches("tr, li") && !watched.has(element)) {
        watched.add(element);
        sight.observe(element);
      }
    }
  }
  return index.get(robot) || [];
}

function at(element, time) {
  if (time === null) element.removeAttribute("data-at");
  else attribute(element, "data-at", String(time));
}

export function texts(told) {
  for (const [robot, fields] of Object.entries(told)) {
    if (robot === "") {
      for (const [name, text] of Object.entries(fields)) {
        for (const element of document.querySelectorAll(`[data-page="${name}"]`)) {
          if (name === "at") at(element, text);
          else set(element, text);
        }
      }
      continue;
    }
    for (const one of elements(robot)) {
      if (!hidden.has(one.element)) write(one, fields);
      else waiting.set(one.element, [one, { ...(waiting.get(one.element) || [])[1], ...fields }]);
    }
  }
  for (const element of [...waiting.keys()].slice(0, FEW)) catchUp(element);
}

function write(one, fields) {
  if (fields.at !== undefined) for (const element of one.ages) at(element, fields.at);
  for (const [name, element] of one.fields) {
    if (fields[name] === undefined) continue;
    if (element.dataset.attribute) attribute(element, element.dataset.attribute, String(fields[name]));
    else set(element, String(fields[name]));
  }
}

function parse(html) {
  const holder = document.createElement("template");
  // A mark of the plan is SVG, which only is so inside of one.
  const inSvg = html.startsWith("<g");
  holder.innerHTML = inSvg ? `<svg>${html}</svg>` : html;
  return inSvg ? holder.content.firstChild.firstElementChild : holder.content.firstElementChild;
}

// What the browser words by itself: it stays as it is while its moment is the same one.
const OWN = "[data-age], [data-ago], [data-since], time[data-local]";
const moment = ({ className, dateTime, dataset }) => [className, dateTime, dataset.at, dataset.since].join();

export const MORPH = {
  morphStyle: "outerHTML",
  ignoreActiveValue: true,
  callbacks: {
    // What the reader opened stays open, and a token of a form is as good as the one before.
    beforeAttributeUpdated: (name, node, act) =>
      !(name === "open" && node.nodeName === "DETAILS") &&
      !(name === "title" && act === "remove" && node.matches(OWN)) &&
      !(name === "value" && node.name === "csrfmiddlewaretoken"),
    // What another script draws is its own.
    beforeNodeMorphed: (old, fresh) =>
      !(old.id === "map" || old.id === "trails") && !(old.dataset && fresh.dataset && old.matches(OWN) && moment(old) === moment(fresh)),
  },
};

// What is under the hand, holds what somebody did, or is costly to make again is changed node by node; anything else is cheaper whole.
const KEPT = "a:focus, button, canvas, details, img, input, select, textarea, #map, #trails";
const LIVE = "[data-age], [data-ago], [data-page], [data-robot], [data-since], [data-t]";
const has = (element, selector) => element.matches(selector) || element.querySelector(selector) !== null;

function change(old, element) {
  if (old.matches(":hover") || old.contains(document.activeElement) || has(old, KEPT)) Idiomorph.morph(old, element, MORPH);
  else old.replaceWith(element);
}

// Gives the elements that are new: a list says where they stand.
export function pieces(told) {
  const fresh = new Map();
  let indexed = false;
  for (const [id, html] of Object.entries(told)) {
    const old = document.getElementById(id);
    indexed ||= Boolean(old) && has(old, LIVE);
    if (html === "") {
      if (old) old.remove();
      continue;
    }
    const element = parse(html);
    indexed ||= has(element, LIVE);
    if (old) change(old, element);
    else fresh.set(id, element);
  }
  if (indexed) forget();
  return fresh;
}

export function arrange(list, ids, fresh) {
  const container = document.getElementById(list);
  if (!container) return;
  let here = container.firstElementChild;
  for (const id of ids) {
    const element = document.getElementById(id) || fresh.get(id);
    if (!element) continue;
    if (element === here) here = here.nextElementSibling;
    else container.insertBefore(element, here);
  }
  while (here) {
    const next = here.nextElementSibling;
    here.remove();
    here = next;
  }
  forget();
}

export function forget() {
  index = aging = null;
}

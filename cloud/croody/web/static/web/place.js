// Puts what the server says into the page: texts, pieces of HTML, the order of lists. Makes no word and no number.
import { Idiomorph } from "../vendor/idiomorph-0.8.0/idiomorph.esm.min.js";
import { set } from "./ages.js";

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
  aging ||= [...document.querySelectorAll("[data-age], [data-ago], [data-since]")].map((element) => [element, element.closest("[data-robot]")]);
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
      const fields = [...element.querySelectorAll("[data-t]")].map((field) => [field.dataset.t, field]);
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
  if (time === null) delete element.dataset.at;
  else element.dataset.at = time;
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
    const attribute = element.dataset.attribute;
    if (attribute) {
      const value = String(fields[name]);
      if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
    }
    else set(element, fields[name]);
  }
}

function parse(html) {
  const holder = document.createElement("template");
  // A mark of the plan is SVG, which only is so inside of one.
  const inSvg = html.startsWith("<g");
  holder.innerHTML = inSvg ? `<svg>${html}</svg>` : html;
  return inSvg ? holder.content.firstChild.firstElementChild : holder.content.firstElementChild;
}

const MORPH = {
  morphStyle: "outerHTML",
  ignoreActiveValue: true,
  callbacks: {
    // What the reader opened stays open; what another script draws is its own.
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.nodeName === "DETAILS"),
    beforeNodeMorphed: (old) => !(old.id === "map" || old.id === "trails"),
  },
};

// Gives the elements that are new: a list says where they stand.
export function pieces(told) {
  const fresh = new Map();
  for (const [id, html] of Object.entries(told)) {
    const old = document.getElementById(id);
    if (html === "") {
      if (old) old.remove();
      continue;
    }
    const element = parse(html);
    if (old) Idiomorph.morph(old, element, MORPH);
    else fresh.set(id, element);
  }
  forget();
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

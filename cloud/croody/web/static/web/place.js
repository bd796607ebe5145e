// Puts what the server says into the page: texts, pieces of HTML, the order of lists. Makes no word and no number.
import { Idiomorph } from "../vendor/idiomorph-0.8.0/idiomorph.esm.min.js";

// Robot -> its elements, each with its fields; built again when the structure changes.
let index = null;

function elements(robot) {
  if (!index) {
    index = new Map();
    for (const element of document.querySelectorAll("[data-robot]")) {
      const known = index.get(element.dataset.robot) || [];
      const fields = [...element.querySelectorAll("[data-t]")].map((field) => [field.dataset.t, field]);
      known.push({ element, fields, ages: element.querySelectorAll("[data-age], [data-ago]") });
      index.set(element.dataset.robot, known);
    }
  }
  return index.get(robot) || [];
}

export function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
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
      if (fields.at !== undefined) for (const element of one.ages) at(element, fields.at);
      for (const [name, element] of one.fields) {
        if (fields[name] === undefined) continue;
        if (element.dataset.attribute) element.setAttribute(element.dataset.attribute, fields[name]);
        else set(element, fields[name]);
      }
    }
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
  index = null;
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
  index = null;
}

export const forget = () => { index = null; };

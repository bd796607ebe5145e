// Where they are: Leaflet over Natural Earth's land, both from our own address. No pop-ups: they need inline styles.
import { onPlaced } from "../web/live.js";
import { polygons } from "./land.js";

// More robots than this are dots: their names would cover each other, and the map.
const DOTS = 50;
const TROUBLED = ["offline", "stale", "faulted", "quarantined"];
let L = null;
let map = null;
let layer = null;
let places = [];
let chosen = false; // the reader moved the map

function label(place, element) {
  const here = document.getElementById("plan");
  const tag = document.createElement(place.site ? "a" : "span");
  tag.className = `place-label is-${place.state}`;
  if (place.site) {
    tag.href = `?${element.dataset.query || "sitio"}=${encodeURIComponent(place.site)}`;
    if (here && here.dataset.site === place.site) tag.setAttribute("aria-current", "true");
  }
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${element.dataset.icons}#${place.state}`);
  svg.append(use);
  tag.append(svg, place.name);
  tag.title = place.name;
  if (place.count) {
    const count = document.createElement("span");
    count.className = "count";
    count.textContent = `(${place.count})`;
    tag.append(count);
  }
  return tag;
}

function draw(fit) {
  const element = document.getElementById("map");
  if (!element || !map) return;
  layer.clearLayers();
  element.classList.toggle("dots", places.filter((place) => !place.site).length > DOTS);
  for (const place of places) {
    const icon = L.divIcon({ className: "place", html: label(place, element), iconSize: [0, 0] });
    // Dots lie below names, and who asks for somebody lies above all: beyond what Leaflet makes of the latitude.
    const zIndexOffset = (place.site ? 1 : 0) * 10000 + (TROUBLED.includes(place.state) ? 20000 : 0);
    L.marker([place.lat, place.lng], { icon, keyboard: false, interactive: false, zIndexOffset }).addTo(layer);
  }
  if (!places.length) return;
  const bounds = L.latLngBounds(places.map((place) => [place.lat, place.lng]));
  // Who leaves the part that is shown is followed, unless the reader chose that part.
  if (fit || (!chosen && !map.getBounds().contains(bounds))) map.fitBounds(bounds.pad(0.4), { maxZoom: 5, animate: false });
}

// Other people's script, which is no module.
function leaflet(address) {
  return new Promise((resolve, reject) => {
    if (window.L) {
      resolve(window.L);
      return;
    }
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", () => resolve(window.L));
    script.addEventListener("error", reject);
    document.head.append(script);
  });
}

// Its style, where the page does not have it from the first.
function styled(address) {
  if (!address || document.querySelector(`link[href="${address}"]`)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: address });
    link.addEventListener("load", resolve);
    link.addEventListener("error", reject);
    document.head.prepend(link);
  });
}

let opened = null; // the reader folded the world away, or unfolded it
let starting = false;

async function start() {
  const element = document.getElementById("map");
  if (!element || starting || (map && map.getContainer() === element)) return;
  // Whoever has the world folded away asks for nothing of it.
  const shell = element.closest("details");
  if (shell && !shell.open) return;
  starting = true;
  try {
    [L] = await Promise.all([leaflet(element.dataset.leaflet), styled(element.dataset.style)]);
  } catch (_) {
    // The list of places stands in the map's room; the next picture tries again.
    return;
  } finally {
    starting = false;
  }
  element.replaceChildren();
  map = L.map(element, {
    attributionControl: false,
    zoomControl: false,
    minZoom: 1,
    maxZoom: 9,
    worldCopyJump: true,
    zoomAnimation: false,
    fadeAnimation: false,
    markerZoomAnimation: false,
    scrollWheelZoom: false,
  });
  L.control.zoom({ zoomInTitle: element.dataset.in, zoomOutTitle: element.dataset.out }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  const source = L.control({ position: "bottomleft" });
  source.onAdd = () => {
    const text = L.DomUtil.create("div", "source");
    text.textContent = "Natural Earth";
    return text;
  };
  source.addTo(map);
  layer = L.layerGroup().addTo(map);
  chosen = false;
  for (const kind of ["pointerdown", "keydown"]) element.addEventListener(kind, () => { chosen = true; });
  draw(true);
  for (let degree = -180; degree <= 180; degree += 10) {
    L.polyline([[-85, degree], [85, degree]], { className: "graticule", interactive: false }).addTo(map);
    if (Math.abs(degree) <= 80) L.polyline([[degree, -180], [degree, 180]], { className: "graticule", interactive: false }).addTo(map);
  }
  drawLand(element.dataset.land);
}

// Without an outline the map still says where robots are; a server that is away is asked again.
async function drawLand(address) {
  const answer = await fetch(address).catch(() => null);
  const land = answer && answer.ok ? await answer.json().catch(() => null) : null;
  if (!land) {
    setTimeout(drawLand, 5000, address);
    return;
  }
  for (const polygon of polygons(land)) {
    L.polygon(polygon, { className: "land", interactive: false, smoothFactor: 0.5 }).addTo(map).bringToBack();
  }
}

onPlaced((message) => {
  const told = message.data && message.data.places;
  if (told) places = told;
  start();
  // The site whose plan is shown is marked on the map.
  if (told || (message.html && (message.html.structure || message.html["plan-figure"]))) draw(false);
});

document.addEventListener("click", (event) => {
  const shell = event.target.closest(".world > summary")?.parentElement;
  if (shell) opened = !shell.open;
});

// Another page of the monitor comes folded as the server has it.
export function unfold() {
  const shell = document.querySelector(".world");
  if (shell && opened !== null) shell.open = opened;
}

document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.nodeName !== "DETAILS" || !event.target.querySelector("#map")) return;
    if (map) map.invalidateSize();
    start();
  },
  true,
);
const first = document.getElementById("places");
if (first) places = JSON.parse(first.textContent);
start();

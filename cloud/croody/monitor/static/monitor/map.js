// Where they are: Leaflet over Natural Earth's land, both from our own address. No pop-ups: they need inline styles.
"use strict";
(function () {
  let map = null;
  let layer = null;
  let places = [];

  // TopoJSON with quantised, delta-coded arcs -> rings of [lat, lng]. Only what this file holds: one collection of polygons.
  function rings(topology) {
    const [kx, ky] = topology.transform.scale;
    const [dx, dy] = topology.transform.translate;
    const arcs = topology.arcs.map((arc) => {
      let x = 0;
      let y = 0;
      return arc.map(([px, py]) => {
        x += px;
        y += py;
        return [y * ky + dy, x * kx + dx];
      });
    });
    const ring = (numbers) =>
      numbers.flatMap((number, index) => {
        const arc = number < 0 ? [...arcs[~number]].reverse() : arcs[number];
        return index ? arc.slice(1) : arc;
      });
    const geometries = Object.values(topology.objects)[0].geometries;
    return geometries.flatMap((geometry) => {
      const polygons = geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs;
      return polygons.map((polygon) => polygon.map(ring));
    });
  }

  function worst(ids) {
    const order = ["offline", "stale", "maintenance", "moving", "online", "off", "unknown"];
    let found = "unknown";
    for (const id of ids) {
      const robot = croody.robots.get(id);
      if (robot && order.indexOf(robot.state) < order.indexOf(found)) found = robot.state;
    }
    return found;
  }

  function label(place, element) {
    const state = worst(place.robots);
    const here = document.getElementById("plan");
    const tag = document.createElement(place.site ? "a" : "span");
    tag.className = `place-label is-${state}`;
    if (place.site) {
      tag.href = `?sitio=${encodeURIComponent(place.site)}`;
      if (here && here.dataset.site === place.site) tag.setAttribute("aria-current", "true");
    }
    const icons = element.dataset.icons;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "glyph");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${icons}#${state}`);
    svg.append(use);
    tag.append(svg, place.name);
    if (place.site) {
      const count = document.createElement("span");
      count.className = "count";
      count.textContent = croody.number(place.robots.length, 0);
      tag.append(count);
    }
    return tag;
  }

  function draw(fit) {
    const element = document.getElementById("map");
    const data = document.getElementById("places");
    if (!element || !data || !map) return;
    places = JSON.parse(data.textContent);
    layer.clearLayers();
    for (const place of places) {
      const icon = L.divIcon({ className: "place", html: label(place, element), iconSize: [0, 0] });
      L.marker([place.lat, place.lng], { icon, keyboard: false, interactive: false }).addTo(layer);
    }
    if (fit) {
      const bounds = L.latLngBounds(places.map((place) => [place.lat, place.lng]));
      map.fitBounds(bounds.pad(0.4), { maxZoom: 5, animate: false });
    }
  }
  croody.drawPlaces = () => draw(false);

  let shown = "";
  croody.onPicture(() => {
    const states = places.map((place) => worst(place.robots)).join(" ");
    if (states !== shown) {
      shown = states;
      draw(false);
    }
  });

  async function start() {
    const element = document.getElementById("map");
    if (!element) return;
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
    for (const polygon of rings(land)) {
      L.polygon(polygon, { className: "land", interactive: false, smoothFactor: 0.5 }).addTo(map).bringToBack();
    }
  }

  start();
})();

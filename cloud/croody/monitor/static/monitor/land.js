// Natural Earth's land as rings that Leaflet can draw. Pure: TopoJSON in, lists of [lat, lng] out.

// Quantised, delta-coded arcs; only what this file holds: one collection of polygons.
export function polygons(topology) {
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
    const found = geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs;
    return found.flatMap((polygon) => copies(polygon.map(ring).map(unwound)));
  });
}

// A coast that crosses 180 degrees goes on beyond it, instead of running back over the whole map.
export function unwound(ring) {
  let turn = 0;
  let before = null;
  const points = ring.map(([lat, lng]) => {
    if (before !== null && lng - before > 180) turn -= 360;
    if (before !== null && before - lng > 180) turn += 360;
    before = lng;
    return [lat, lng + turn];
  });
  return turn === 0 ? points : aroundThePole(points, turn);
}

// Antarctica's coast ends a whole turn from where it began. It is drawn three times round and closed below the map, out of sight.
function aroundThePole(points, turn) {
  const round = [-1, 0, 1].flatMap((times) => points.map(([lat, lng]) => [lat, lng + times * turn]));
  return [...round, [-90, round[round.length - 1][1]], [-90, round[0][1]]];
}

// What lies beyond 180 degrees is seen on the other side, too.
function copies(polygon) {
  const lngs = polygon[0].map((point) => point[1]);
  const [west, east] = [Math.min(...lngs), Math.max(...lngs)];
  const found = [polygon];
  if (east - west > 360) return found;
  if (east > 180) found.push(polygon.map((ring) => ring.map(([lat, lng]) => [lat, lng - 360])));
  if (west < -180) found.push(polygon.map((ring) => ring.map(([lat, lng]) => [lat, lng + 360])));
  return found;
}

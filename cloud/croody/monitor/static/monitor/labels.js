// Where the names of robots stand on the plan, so that none lies on another. Pure: places in, the name of a side a robot out.
// Where a name is anchored, in units of the style sheet's --u from the middle of its mark, and how it grows from there. The style
// sheet has the same numbers.
const SIDES = {
  right: [18, 5, 0],
  left: [-18, 5, 1],
  upright: [14, -13, 0],
  downright: [14, 25, 0],
  upleft: [-14, -13, 1],
  downleft: [-14, 25, 1],
  above: [0, -20, 0.5],
  below: [0, 31, 0.5],
};
const NEAR = Object.keys(SIDES);
// Who asks for attention may be named farther away, with a line to its name: so many times as far. The style sheet has the same numbers.
const OUT = { far: 2.6, far2: 4.2, far3: 6 };
const FAR = Object.keys(OUT).flatMap((far) => NEAR.map((side) => `${side} ${far}`));
const MARK = 13; // half of a mark
const DOT = 7; // and of a dot
const ASCENT = 12;
const LINE = 17;

// bots: [{id, x, y, first, now, lines, letters, urgent}], the most urgent first. `first` is the side one would like, `now` the side
// it has. `sheet` and `area` are [left, top, right, bottom] of the drawing and of the floor in it, beyond which are the numbers.
// `dots`: [{x, y}] of robots without a name.
// Gives Map id -> side, or `side far`, farther away; "" where there is room on none. No name hides a robot.
export function placeNames(bots, unit, sheet, area, dots = []) {
  const taken = [];
  const sides = new Map();
  const half = MARK * unit;
  const marks = bots.map((bot) => [bot.x - half, bot.y - half, bot.x + half, bot.y + half]);
  const dot = DOT * unit;
  for (const { x, y } of dots) marks.push([x - dot, y - dot, x + dot, y + dot]);
  for (const [own, bot] of bots.entries()) {
    let best = "";
    let least = Infinity;
    const names = bot.urgent ? [...NEAR, ...FAR] : NEAR;
    for (let index = 0; index < names.length; index++) {
      const side = names[index];
      const box = boxOf(bot, side, unit);
      if (!inside(box, sheet)) continue;
      if (taken.some((other) => meet(box, other))) continue;
      // A name stays where it is unless moving is worth it.
      let cost = (side === bot.first ? 0 : 1 + index * 0.1) - (side === bot.now ? 1.5 : 0) + (inside(box, area) ? 0 : 3);
      for (let other = 0; other < marks.length && cost < least; other++) {
        if (other !== own && meet(box, marks[other])) cost = Infinity;
      }
      if (cost < least) {
        least = cost;
        best = side;
      }
    }
    sides.set(bot.id, best);
    if (best) taken.push(boxOf(bot, best, unit));
  }
  return sides;
}

// From the middle of its mark to where a name is anchored.
function anchorOf(place) {
  const [side, far] = place.split(" ");
  const [dx, dy, share] = SIDES[side];
  const out = far ? OUT[far] : 1;
  return [dx * out, dy * out, share];
}

// The line from a mark to a name that stands far away: a path.
export function leader(place, unit) {
  if (!place.includes(" ")) return "";
  const [dx, dy] = anchorOf(place);
  const length = Math.hypot(dx, dy - 5);
  const from = MARK / length;
  const to = 1 - 4 / length;
  const point = (share) => `${(dx * share * unit).toFixed(1)} ${((dy - 5) * share * unit).toFixed(1)}`;
  return `M${point(from)}L${point(to)}`;
}

function boxOf(bot, side, unit) {
  const [dx, dy, share] = anchorOf(side);
  const width = bot.letters * 7.6;
  const left = dx - width * share;
  // Two lines grow upwards from a place above.
  const top = dy - ASCENT - (side === "above" || side.startsWith("up") ? (bot.lines - 1) * LINE : 0);
  return [bot.x + left * unit, bot.y + top * unit, bot.x + (left + width) * unit, bot.y + (top + bot.lines * LINE) * unit];
}

function inside(box, outer) {
  return box[0] >= outer[0] && box[1] >= outer[1] && box[2] <= outer[2] && box[3] <= outer[3];
}

function meet(a, b) {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

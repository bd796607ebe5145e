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
const NAMES = Object.keys(SIDES);
const MARK = 13; // half of a mark
const ASCENT = 12;
const LINE = 17;

// bots: [{id, x, y, first, now, lines, letters, urgent}], the most urgent first. `first` is the side one would like, `now` the side
// it has. `sheet` and `area` are [left, top, right, bottom] of the drawing and of the floor in it, beyond which are the numbers.
// Gives Map id -> side; "" where there is room on none.
export function placeNames(bots, unit, sheet, area) {
  const taken = [];
  const sides = new Map();
  const half = MARK * unit;
  const marks = bots.map((bot) => [bot.x - half, bot.y - half, bot.x + half, bot.y + half]);
  for (const [own, bot] of bots.entries()) {
    let best = "";
    let least = Infinity;
    for (let index = 0; index < NAMES.length; index++) {
      const side = NAMES[index];
      const box = boxOf(bot, side, unit);
      if (!inside(box, sheet)) continue;
      if (taken.some((other) => meet(box, other))) continue;
      // A name stays where it is unless moving is worth it. It hides no robot, but where its own is in trouble.
      let cost = (side === bot.first ? 0 : 1 + index * 0.1) - (side === bot.now ? 1.5 : 0) + (inside(box, area) ? 0 : 3);
      for (let other = 0; other < marks.length && cost < least; other++) {
        if (other !== own && meet(box, marks[other])) cost += bot.urgent ? 4 : Infinity;
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

function boxOf(bot, side, unit) {
  const [dx, dy, share] = SIDES[side];
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

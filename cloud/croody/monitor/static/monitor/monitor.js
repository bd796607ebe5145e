// The monitor's own part: robots and trails on the plan, and a list that is asked again when robots come or go.
"use strict";
(function () {
  const TRAIL_S = 120;
  const STEP_M = 0.25;
  const structure = () => document.getElementById("structure");
  const trails = new Map(); // id -> [[at, x, y, hole], ...] oldest first
  const seen = new Map(); // id -> [at, x, y] of its last reading

  // On the plan

  function frame() {
    const plan = document.getElementById("plan");
    if (!plan) return null;
    const read = (name) => Number(plan.dataset[name]);
    // Units a pixel, as the style sheet has it for this width: a name must have room for its letters.
    const unit = Number(getComputedStyle(plan).getPropertyValue("--u")) || 1;
    return { scale: read("scale"), left: read("left"), top: read("top"), width: read("width"), height: read("height"), unit };
  }

  function place(robot, box) {
    const bot = document.querySelector(`#robots [data-robot="${CSS.escape(robot.id)}"]`);
    if (!bot || robot.x === null || robot.y === null) return;
    const x = box.left + robot.x * box.scale;
    const y = box.top + robot.y * box.scale;
    bot.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    bot.querySelector(".turn").setAttribute("transform", `rotate(${(robot.h || 0).toFixed(1)})`);
  }

  // Names, all of them at once: who asks for attention is named first, and nobody's name lies on another's.
  const SIDES = ["right", "left", "above", "below", "upright", "downright", "upleft", "downleft", "unnamed"];
  const URGENT = ["offline", "stale"];

  function nameAll(plan, box) {
    const bots = [];
    const elements = new Map();
    for (const element of document.querySelectorAll("#robots [data-robot]")) {
      const robot = croody.robots.get(element.dataset.robot);
      if (!robot || robot.x === null || robot.y === null) continue;
      elements.set(robot.id, element);
      const urgent = URGENT.includes(robot.state);
      const age = urgent ? element.querySelector("[data-old-age]").textContent.length : 0;
      bots.push({
        id: robot.id,
        x: box.left + robot.x * box.scale,
        y: box.top + robot.y * box.scale,
        // Ahead of its robot, so that it does not lie on the trail.
        first: robot.h > 180 && robot.h < 360 ? "left" : "right",
        now: SIDES.find((side) => element.classList.contains(side)),
        lines: urgent ? 2 : 1,
        letters: Math.max(robot.id.length, age),
        urgent,
      });
    }
    bots.sort((a, b) => b.urgent - a.urgent || (a.now === "unnamed") - (b.now === "unnamed") || (a.id < b.id ? -1 : 1));
    const { width, height } = plan.viewBox.baseVal;
    const floor = [box.left, box.top, box.left + box.width, box.top + box.height];
    const sides = croody.placeNames(bots, box.unit, [0, 0, width, height], floor);
    for (const [id, side] of sides) {
      const element = elements.get(id);
      for (const name of SIDES) element.classList.toggle(name, name === (side || "unnamed"));
    }
  }

  // The address of the page of the list that has this robot, nothing when it is this one.
  function onPage(id) {
    const index = structure().dataset.ids.split(" ").indexOf(id);
    if (index < 0 || document.getElementById("robot-" + id)) return "";
    const query = new URLSearchParams(location.search);
    query.set("pagina", String(Math.floor(index / croody.words.rows) + 1));
    return "?" + query;
  }

  // Who is late or silent, in one line above everything: on a phone the list is long.
  let troubledBefore = null;

  function attention() {
    const line = document.querySelector("[data-attention]");
    if (!line) return;
    const words = croody.words;
    const ids = [...croody.robots.values()].filter((robot) => words.troubled.includes(robot.state)).map((robot) => robot.id);
    ids.sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
    line.hidden = !croody.robots.size;
    if (ids.join(" ") === troubledBefore) return;
    troubledBefore = ids.join(" ");
    line.classList.toggle("troubled", ids.length > 0);
    line.replaceChildren(croody.fill(words.attention[Math.min(ids.length, 2)], { count: croody.number(ids.length, 0) }));
    for (const [index, id] of ids.slice(0, words.named).entries()) {
      const link = document.createElement("a");
      link.href = onPage(id) + "#robot-" + id;
      link.textContent = id;
      line.append(index ? ", " : " ", link);
    }
    if (ids.length > words.named) line.append(", \u2026");
  }

  // A line is drawn only where readings followed each other: more silence than robot.hole is a hole.
  function remember(robot) {
    if (robot.at === null || robot.x === null || robot.y === null) return;
    const points = trails.get(robot.id) || [];
    trails.set(robot.id, points);
    const last = points[points.length - 1];
    const before = seen.get(robot.id);
    if ((before && robot.at <= before[0]) || (last && robot.at <= last[0])) return;
    const apart = (point) => Math.abs(robot.x - point[1]) + Math.abs(robot.y - point[2]);
    const hole = Boolean(before) && robot.at - before[0] > robot.hole && apart(before) >= STEP_M;
    if (hole || !last || apart(last) >= STEP_M) points.push([robot.at, robot.x, robot.y, hole ? 1 : 0]);
    seen.set(robot.id, [robot.at, robot.x, robot.y]);
  }

  function drawTrails(box) {
    const now = croody.now();
    for (const group of document.querySelectorAll("#trails [data-trail]")) {
      const id = group.dataset.trail;
      const points = trails.get(id);
      const robot = croody.robots.get(id);
      if (!points || !robot) continue;
      while (points.length && points[0][0] < now - TRAIL_S) points.shift();
      const parts = ["", "", ""];
      let before = null;
      const end = seen.get(id);
      for (const [at, x, y, hole] of end && points.length ? [...points, end] : points) {
        const part = 2 - Math.max(0, Math.min(2, Math.floor((now - at) / 40)));
        const point = `${(box.left + x * box.scale).toFixed(1)} ${(box.top + y * box.scale).toFixed(1)}`;
        if (!before || hole) parts[part] += "M" + point;
        else if (before.part !== part) parts[part] += "M" + before.point + "L" + point;
        else parts[part] += "L" + point;
        before = { part, point };
      }
      group.querySelector(".old").setAttribute("d", parts[0]);
      group.querySelector(".mid").setAttribute("d", parts[1]);
      group.querySelector(".new").setAttribute("d", parts[2]);
    }
  }

  // Robots that come or go, and values that a robot did not have before: the server draws the page's middle again

  let asking = false;
  let wanted = false;

  function differs() {
    const ids = structure().dataset.ids.split(" ").filter(Boolean);
    if (ids.length !== croody.robots.size || ids.some((id) => !croody.robots.has(id))) return true;
    for (const row of document.querySelectorAll("#rows [data-robot]")) {
      const robot = croody.robots.get(row.dataset.robot);
      if (robot && Object.keys(robot.values).sort().join(" ") !== row.dataset.keys) return true;
    }
    const site = document.getElementById("plan");
    return Boolean(site) && [...croody.robots.values()].some((robot) => robot.x !== null && placedLater(robot));
  }

  function placedLater(robot) {
    const nowhere = document.querySelector(`.nowhere [data-robot="${CSS.escape(robot.id)}"]`);
    return Boolean(nowhere) && !document.querySelector(`#robots [data-robot="${CSS.escape(robot.id)}"]`);
  }

  function busy() {
    const middle = structure();
    return Boolean(middle.querySelector(".robots:hover, .short:hover")) || (middle.contains(document.activeElement) && document.activeElement !== document.body);
  }

  async function redraw() {
    if (asking || !wanted || croody.isFrozen()) return;
    if (busy() && structure().dataset.ids) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("structure");
      if (!fresh) return;
      if (fresh.querySelector("#map") && !document.getElementById("map") && !window.L) {
        location.reload();
        return;
      }
      swap(fresh);
      wanted = differs();
    } catch (_) {
      // The connection's own banner says it; the next picture asks again.
    } finally {
      asking = false;
    }
  }

  function swap(fresh) {
    const middle = structure();
    const open = [...middle.querySelectorAll("details[open]")].map((details) => details.dataset.details);
    const map = middle.querySelector("#map");
    const freshMap = fresh.querySelector("#map");
    middle.replaceWith(fresh);
    if (map && freshMap) {
      freshMap.replaceWith(map);
      if (croody.drawPlaces) croody.drawPlaces();
    }
    for (const id of open) {
      const details = fresh.querySelector(`details[data-details="${CSS.escape(id)}"]`);
      if (details) details.open = true;
    }
    croody.showPause();
    const box = frame();
    if (box) {
      drawTrails(box);
      nameAll(document.getElementById("plan"), box);
    }
  }

  croody.onPicture((changed, message, whole) => {
    if (whole && message.trails) {
      trails.clear();
      seen.clear();
      for (const [id, points] of Object.entries(message.trails)) trails.set(id, points);
    }
    for (const robot of changed) remember(robot);
    attention();
    const box = frame();
    if (box) {
      for (const robot of changed) place(robot, box);
      drawTrails(box);
      nameAll(document.getElementById("plan"), box);
    }
    if (whole || changed.length) wanted = differs() || (message.count !== undefined && message.count !== croody.robots.size);
    if (message.count !== undefined && message.count < croody.robots.size) {
      // Somebody is gone; the redrawn page says who, and the next connection forgets it.
      refreshIds();
    }
  });

  async function refreshIds() {
    await redraw();
    const ids = new Set(structure().dataset.ids.split(" "));
    for (const id of [...croody.robots.keys()]) if (!ids.has(id)) croody.robots.delete(id);
  }

  setInterval(redraw, 1500);

  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "p" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest && event.target.closest("input, textarea, select, [contenteditable]")) return;
    croody.pause();
  });
})();

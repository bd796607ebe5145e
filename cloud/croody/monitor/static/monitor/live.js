// The live connection of a page: one EventSource, ages that count by themselves, the banner when Croody is away.
// A page adds its own part with croody.onPicture(function (robots, message) {...}). Values arrive as numbers; words are the page's.
"use strict";
(function () {
  const live = document.getElementById("live");
  if (!live) return;
  const words = (croody.words = JSON.parse(document.getElementById("words").textContent));
  const banner = document.getElementById("banner");
  const caughtUp = document.getElementById("caught-up");
  const icon = document.querySelector('link[rel="icon"]');
  // A message comes every 4 s at the latest; two that do not come mean that the line is dead.
  const SILENT_S = 9;
  const WAIT_S = [1, 2, 4, 8, 15];

  let skew = Number(live.dataset.now) - Date.now() / 1000;
  let heardAt = Date.now();
  let goodUntil = Number(live.dataset.now);
  let source = null;
  let tries = 0;
  let retryAt = 0;
  let trouble = null; // {kind: "lost" | "database" | "deaf", since: unix seconds}
  let changedMeanwhile = new Set();
  let frozen = null; // {at: Date, waiting: number} while the reader holds the picture
  const listeners = [];
  const robots = (croody.robots = new Map());

  croody.now = () => Date.now() / 1000 + skew;
  croody.fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  croody.onPicture = (listener) => listeners.push(listener);
  croody.eachOf = (id, run) => {
    for (const element of document.querySelectorAll(`[data-robot="${CSS.escape(id)}"]`)) run(element);
  };

  // Connection

  function connect() {
    if (source) source.close();
    retryAt = 0;
    heardAt = Date.now();
    source = new EventSource(live.dataset.stream);
    source.addEventListener("all", (event) => take(JSON.parse(event.data), true));
    source.addEventListener("some", (event) => take(JSON.parse(event.data), false));
    source.addEventListener("state", (event) => {
      heardAt = Date.now();
      const state = JSON.parse(event.data);
      if (state.database === "lost") setTrouble("database", state.since);
    });
    source.addEventListener("error", lost);
  }

  function lost() {
    source.close();
    setTrouble("lost", goodUntil);
    const wait = WAIT_S[Math.min(tries++, WAIT_S.length - 1)];
    retryAt = Date.now() + wait * 1000 * (0.8 + 0.4 * Math.random());
  }

  function take(message, whole) {
    heardAt = Date.now();
    tries = 0;
    skew = message.now - Date.now() / 1000;
    goodUntil = message.now;
    if (message.deaf_since !== null) setTrouble("deaf", message.deaf_since);
    else setTrouble(null);
    if (trouble) for (const robot of message.robots) changedMeanwhile.add(robot.id);
    if (whole) {
      for (const id of [...robots.keys()]) if (!message.robots.some((robot) => robot.id === id)) robots.delete(id);
    }
    for (const robot of message.robots) robots.set(robot.id, robot);
    if (frozen) {
      frozen.waiting += message.robots.length;
      return;
    }
    show(message.robots, message, whole);
  }

  function show(changed, message, whole) {
    for (const robot of changed) patch(robot);
    sentence();
    for (const listener of listeners) listener(changed, message, whole);
  }

  // The banner: what is wrong since when, and how old is what one sees

  function setTrouble(kind, since) {
    if (kind === null) {
      if (trouble) {
        const count = changedMeanwhile.size;
        caughtUp.textContent = count > 1 ? croody.fill(words.back, { count: croody.number(count, 0) }) : words.backOne;
        caughtUp.hidden = false;
        setTimeout(() => { caughtUp.hidden = true; }, 5000);
      }
      trouble = null;
      changedMeanwhile = new Set();
      banner.hidden = true;
      document.documentElement.classList.remove("lost");
      icon.href = icon.dataset.live;
      return;
    }
    if (!trouble || trouble.kind !== kind) {
      trouble = { kind, since: trouble ? Math.min(trouble.since, since) : since };
      const clock = croody.clock(new Date((trouble.since - skew) * 1000));
      banner.querySelector("[data-what]").textContent = croody.fill(words[kind], { clock });
      banner.querySelector("[data-retry]").hidden = kind !== "lost";
      banner.hidden = false;
      document.documentElement.classList.add("lost");
      icon.href = icon.dataset.lost;
    }
    caughtUp.hidden = true;
    tickBanner();
  }

  function tickBanner() {
    if (!trouble) return;
    const old = croody.age(croody.now() - trouble.since);
    banner.querySelector("[data-how-old]").textContent = croody.fill(words.old, { age: old });
    const countdown = banner.querySelector("[data-countdown]");
    const seconds = Math.ceil((retryAt - Date.now()) / 1000);
    countdown.textContent = trouble.kind !== "lost" ? "" : retryAt && seconds > 0 ? croody.fill(words.retryIn, { seconds }) : words.retrying;
  }

  banner.querySelector("[data-retry]").addEventListener("click", connect);

  // One robot, wherever it stands on the page

  croody.setState = function (element, state) {
    for (const name of [...element.classList]) if (name.startsWith("is-")) element.classList.remove(name);
    element.classList.add("is-" + state);
    const use = element.querySelector("use");
    if (use) use.setAttribute("href", use.getAttribute("href").replace(/#.*$/, "#" + state));
  };

  function patch(robot) {
    croody.eachOf(robot.id, (element) => {
      if (!element.classList.contains("is-" + robot.state)) {
        croody.setState(element, robot.state);
        const word = element.querySelector("[data-word]");
        if (word) word.textContent = words.states[robot.state];
      }
      for (const age of element.querySelectorAll("[data-at], [data-age]")) {
        if (robot.at !== null) age.dataset.at = robot.at;
      }
      const doing = element.querySelector("[data-doing]");
      if (doing) set(doing, robot.doing ? words.doing[robot.doing] || robot.doing : "");
      for (const value of element.querySelectorAll("[data-m]")) {
        set(value, croody.value(robot.values[value.dataset.m], Number(value.dataset.d), Number(value.dataset.f || 1)));
      }
      const charge = element.querySelector("[data-charge]");
      if (charge && typeof robot.values.battery_pct === "number") {
        charge.setAttribute("width", (Math.max(0, Math.min(100, robot.values.battery_pct)) * 0.14).toFixed(1));
      }
      const share = element.querySelector("[data-share]");
      if (share) delivery(element, share, robot.delivery);
    });
  }

  // Two batches on their way may be stored the later one first: what is missing for a moment is no gap yet.
  const ON_ITS_WAY_MS = 5000;
  const missingBefore = new Map();
  function delivery(element, share, told) {
    const id = element.dataset.robot;
    const before = missingBefore.get(id) || { missing: told.missing, fellAt: 0, roseAt: 0 };
    const fellAt = told.missing < before.missing ? Date.now() : before.fellAt;
    const roseAt = told.missing && !before.missing ? Date.now() : before.roseAt;
    missingBefore.set(id, { missing: told.missing, fellAt, roseAt });
    const young = told.missing > 0 && Date.now() - roseAt < ON_ITS_WAY_MS;
    const missing = young ? 0 : told.missing;
    set(share, told.expected ? croody.percent(told.received, told.expected - (young ? told.missing : 0)) : "\u2014");
    const gaps = element.querySelector("[data-gaps]");
    gaps.toggleAttribute("data-young", young);
    gaps.classList.toggle("has-refill", missing > 0 && Date.now() - fellAt < 15000);
    gaps.classList.toggle("has-gap", missing > 0 && Date.now() - fellAt >= 15000);
    gaps.classList.toggle("has-gone", missing === 0 && told.dropped > 0);
    let text = words.noGaps;
    if (!told.expected) text = words.unnumbered;
    else if (missing) text = croody.fill(words.gap[told.gaps === 1 ? 0 : 1], { count: croody.number(told.gaps, 0) });
    else if (told.dropped) text = croody.fill(words.dropped[told.dropped === 1 ? 0 : 1], { count: croody.number(told.dropped, 0) });
    set(gaps.querySelector("[data-gap-words]"), text);
  }

  function settleGaps() {
    for (const gaps of document.querySelectorAll("[data-gaps][data-young]")) {
      const element = gaps.closest("[data-robot]");
      const robot = robots.get(element.dataset.robot);
      if (robot) delivery(element, element.querySelector("[data-share]"), robot.delivery);
    }
  }

  function set(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // The sentence and the ages

  function sentence() {
    const total = robots.size;
    let there = 0;
    for (const robot of robots.values()) if (words.there.includes(robot.state)) there++;
    const text = total
      ? croody.fill(words.sentence[total === 1 ? 0 : 1], { there: croody.number(there, 0), total: croody.number(total, 0) })
      : words.none;
    for (const element of document.querySelectorAll("[data-sentence]")) set(element, text);
    if (live.hasAttribute("data-titled")) document.title = `${text} · ${words.page} · Croody`;
  }

  function ages() {
    const now = croody.now();
    for (const element of document.querySelectorAll("[data-age][data-at]")) {
      set(element, croody.age(now - Number(element.dataset.at)));
    }
    for (const element of document.querySelectorAll("[data-old-age][data-at]")) {
      set(element, croody.fill(words.ago, { age: croody.age(now - Number(element.dataset.at)) }));
    }
    const newest = document.querySelector("[data-newest]");
    if (newest && robots.size) {
      let at = 0;
      for (const robot of robots.values()) if (robot.at > at) at = robot.at;
      if (at) set(newest, "; " + croody.fill(words.newest, { age: croody.age(now - at) }) + ".");
    }
  }

  croody.titles = function (part) {
    for (const element of part.querySelectorAll("[data-age][data-at]")) {
      const at = new Date(Number(element.dataset.at) * 1000);
      element.title = `${croody.moment(at)} (${croody.offset(at)})`;
    }
  };
  croody.titles(document);

  setInterval(() => {
    if (!document.hidden) ages();
    if (!frozen) settleGaps();
    if (retryAt && Date.now() >= retryAt) connect();
    else if (!retryAt && source && Date.now() - heardAt > SILENT_S * 1000) lost();
    tickBanner();
    if (frozen) showFrozen();
  }, 1000);

  // Pause: the picture stands still, and says since when and how much waits

  const button = () => document.querySelector("[data-pause]");
  function showFrozen() {
    const note = document.querySelector("[data-frozen]");
    if (!note) return;
    const clock = croody.clock(frozen.at);
    set(note, croody.fill(words.paused, { clock }) + " " + croody.fill(words.waiting[frozen.waiting === 1 ? 0 : 1], { count: croody.number(frozen.waiting, 0) }));
  }

  croody.pause = function () {
    if (frozen) {
      frozen = null;
      // Everything anew: the trails have to know what was not shown.
      connect();
    } else {
      frozen = { at: new Date(), waiting: 0 };
    }
    document.documentElement.classList.toggle("frozen", Boolean(frozen));
    showPause();
    if (frozen) showFrozen();
    ages();
  };

  function showPause() {
    const pressed = button();
    if (!pressed) return;
    pressed.setAttribute("aria-pressed", String(Boolean(frozen)));
    const use = pressed.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*$/, frozen ? "#play" : "#pause"));
    pressed.querySelector("[data-label]").textContent = frozen ? words.resume : words.pause;
  }
  croody.showPause = showPause;
  croody.isFrozen = () => Boolean(frozen);

  document.addEventListener("click", (event) => {
    if (event.target.closest && event.target.closest("[data-pause]")) croody.pause();
  });
  addEventListener("online", () => { if (retryAt) connect(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { ages(); if (retryAt) connect(); } });
  addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  addEventListener("pagehide", () => { if (source) source.close(); });

  if (live.hasAttribute("data-lost")) setTrouble("database", croody.now());
  connect();
})();

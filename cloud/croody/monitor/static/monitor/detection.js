// The section on what was noticed: the server draws it again every 10 s, unless somebody is reading in it.
"use strict";
(function () {
  const EVERY_MS = 10000;
  const section = () => document.getElementById("detection");
  if (!section()) return;
  const address = document.getElementById("live").dataset.detection;
  const line = document.getElementById("detection-line");
  let asking = false;

  // On a touch screen the last tap would hover for ever.
  const hovers = matchMedia("(hover: hover)");

  function busy() {
    const selection = getSelection();
    const reads = !selection.isCollapsed && section().contains(selection.anchorNode);
    return reads || section().contains(document.activeElement) || (hovers.matches && section().matches(":hover"));
  }

  function gone() {
    section().remove();
    line.remove();
    clearInterval(timer);
  }

  async function redraw() {
    if (asking || document.hidden || croody.isFrozen() || busy()) return;
    asking = true;
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      // Signed out, or off the team: what one may not see any more does not stay.
      if (answer.status === 404) gone();
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("detection");
      if (!fresh || busy()) return;
      section().replaceWith(fresh);
      croody.titles(fresh);
      line.querySelector("a").textContent = fresh.dataset.atTop;
    } catch (_) {
      // The connection's own banner says it; ages go on counting.
    } finally {
      asking = false;
    }
  }

  const timer = setInterval(redraw, EVERY_MS);
})();

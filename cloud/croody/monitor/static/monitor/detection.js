// The section on what was noticed: the server draws it again every 10 s, unless somebody is reading in it.
import { isFrozen, titles } from "../web/live.js";
import { pieces } from "../web/place.js";

const EVERY_MS = 10000;
const section = () => document.getElementById("detection");
// On a touch screen the last tap would hover for ever.
const hovers = matchMedia("(hover: hover)");
let asking = false;

function busy() {
  const selection = getSelection();
  const reads = !selection.isCollapsed && section().contains(selection.anchorNode);
  return reads || section().contains(document.activeElement) || (hovers.matches && section().matches(":hover"));
}

function gone() {
  section().remove();
  document.getElementById("detection-line").remove();
}

async function redraw() {
  if (!section() || asking || document.hidden || isFrozen() || busy()) return;
  asking = true;
  try {
    const answer = await fetch(document.getElementById("live").dataset.detection, { headers: { Accept: "text/html" } });
    // Signed out, or off the team: what one may not see any more does not stay.
    if (answer.status === 404) gone();
    if (!answer.ok) return;
    pieces({ detection: (await answer.text()).trim() });
    titles(section());
    document.querySelector("#detection-line a").textContent = section().dataset.atTop;
  } catch (_) {
    // The connection's own banner says it; ages go on counting.
  } finally {
    asking = false;
  }
}

setInterval(redraw, EVERY_MS);

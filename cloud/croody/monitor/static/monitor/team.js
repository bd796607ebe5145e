// What only the team sees: the server draws it again every 10 s, unless somebody is at work in it, and at once when an alarm was closed.
import { isFrozen } from "../web/live.js";
import { pieces } from "../web/place.js";

const EVERY_MS = 10000;
const section = () => document.getElementById("team");
// On a touch screen the last tap would hover for ever.
const hovers = matchMedia("(hover: hover)");
let asking = false;

function busy() {
  const selection = getSelection();
  const reads = !selection.isCollapsed && section().contains(selection.anchorNode);
  return reads || section().contains(document.activeElement) || (hovers.matches && section().matches(":hover"));
}

async function put(answer) {
  // Signed out, or off the team: what one may not see any more does not stay.
  if (answer.status === 404) section().remove();
  if (!answer.ok) return;
  pieces({ team: (await answer.text()).trim() });
}

async function redraw() {
  if (!section() || asking || document.hidden || isFrozen() || busy()) return;
  asking = true;
  try {
    await put(await fetch(document.getElementById("live").dataset.detection, { headers: { Accept: "text/html" } }));
  } catch (_) {
    // The connection's own banner says it; ages go on counting.
  } finally {
    asking = false;
  }
}

// Closing an alarm keeps the reader's place. Whatever goes wrong, the form does what it does without script.
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("#team form");
  if (!form) return;
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Fragment": "team" } }).catch(() => null);
  if (!answer || !answer.ok) {
    form.submit();
    return;
  }
  await put(answer);
  const said = section().querySelector("[role=status]");
  if (said) said.focus();
});

setInterval(redraw, EVERY_MS);

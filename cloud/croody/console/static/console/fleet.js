// Flota: its live connection, choosing in the list without a button, and favourites.
import { attribute, set } from "../web/ages.js";
import { onPlaced } from "../web/live.js";

document.addEventListener("change", (event) => {
  const form = event.target.closest(".fleet-filters");
  if (form && event.target.matches("select")) form.requestSubmit();
});

// Favourites. Rows that the stream brings are everybody's: whose star is lit only this page knows.
const form = document.getElementById("star");
const starred = new Set(form ? form.dataset.starred.split(" ").filter(Boolean) : []);

function light(button, on) {
  attribute(button, "aria-pressed", String(on));
  attribute(button, "value", on ? "" : "1");
}

function lights() {
  for (const button of document.querySelectorAll("#rows .star")) light(button, starred.has(button.closest("[data-robot]").dataset.robot));
  const count = document.querySelector("[data-stars]");
  if (count) set(count, String(starred.size));
}

document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (event.target !== form || !button || !button.matches(".star")) return;
  event.preventDefault();
  const robot = button.closest("[data-robot]").dataset.robot;
  const on = button.getAttribute("aria-pressed") !== "true";
  const answer = await fetch(button.formAction, { method: "POST", body: new FormData(form, button), headers: { "X-Fragment": "star" } }).catch(() => null);
  if (!answer || answer.status !== 204) {
    // Whatever is wrong, the page says it.
    form.action = button.formAction;
    form.submit();
    return;
  }
  if (on) starred.add(robot);
  else starred.delete(robot);
  lights();
});

// Rows that are chosen. A row that the stream draws again is chosen still.
const chosen = new Set();
const picked = document.getElementById("picked");
const boxes = () => [...document.querySelectorAll("#rows .pick input")];

function count() {
  const there = boxes().filter((box) => box.checked).length;
  set(picked.querySelector("[data-picked]"), String(there));
  picked.classList.toggle("some", there > 0);
}

document.addEventListener("change", (event) => {
  if (!event.target.matches(".pick input")) return;
  if (event.target.checked) chosen.add(event.target.value);
  else chosen.delete(event.target.value);
  count();
});
document.getElementById("many")?.addEventListener("reset", () => {
  chosen.clear();
  setTimeout(count);
});

function choices() {
  if (!picked) return;
  for (const box of boxes()) if (box.checked !== chosen.has(box.value)) box.checked = chosen.has(box.value);
  count();
}

onPlaced((message) => {
  if (!message.whole && !message.lists && !Object.keys(message.html || {}).some((id) => id.startsWith("robot-"))) return;
  lights();
  if (chosen.size) choices();
});

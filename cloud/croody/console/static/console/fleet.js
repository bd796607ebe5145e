// Flota: its live connection, choosing in the list without a button, and favourites.
import { onPlaced } from "../web/live.js";

document.addEventListener("change", (event) => {
  const form = event.target.closest(".fleet-filters");
  if (form && event.target.matches("select")) form.requestSubmit();
});

// Favourites. Rows that the stream brings are everybody's: whose star is lit only this page knows.
const form = document.getElementById("star");
const starred = new Set(form ? form.dataset.starred.split(" ").filter(Boolean) : []);

function light(button, on) {
  button.setAttribute("aria-pressed", String(on));
  button.value = on ? "" : "1";
}

function lights() {
  for (const button of document.querySelectorAll("#rows .star")) light(button, starred.has(button.closest("[data-robot]").dataset.robot));
  const count = document.querySelector("[data-stars]");
  if (count) count.textContent = String(starred.size);
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

onPlaced((message) => {
  if (message.html) lights();
});

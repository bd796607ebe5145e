// Flota: its live connection, and choosing in the list without a button.
import "../web/live.js";

document.addEventListener("change", (event) => {
  const form = event.target.closest(".fleet-filters");
  if (form && event.target.matches("select")) form.requestSubmit();
});

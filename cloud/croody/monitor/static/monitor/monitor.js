// The monitor: its live connection, its plan and its map, and going to another page of it without leaving this one.
import { moved } from "../web/live.js";
import { unfold } from "./map.js";
import "./plan.js";
import "./team.js";

// Links and the form of the list are htmx's by their attributes. It is fetched when somebody is about to use one: who only looks on never
// needs it, and before it is there they are what they are without script.
let fetched = null;
function about(event) {
  if (event.target.closest("[data-hx-boost]")) fetched ||= import("../vendor/htmx-4.0.1/htmx.esm.min.js");
}
document.addEventListener("pointerover", about);
document.addEventListener("focusin", about);
// What it brings is another page with another stream.
document.addEventListener("htmx:after:swap", () => {
  unfold();
  moved();
});

// Searching while one types; Enter and the button do the same without script.
let typing = 0;
document.addEventListener("input", (event) => {
  const form = event.target.closest("#filters");
  if (!form) return;
  clearTimeout(typing);
  typing = setTimeout(() => form.requestSubmit(), event.target.matches("select") ? 0 : 300);
});

// The page of one robot: what is live comes by the kit, what is drawn is drawn here. Words are the server's.
import { localise } from "../web/ages.js";
import { onPlaced } from "../web/live.js";
import "./charts.js";

const page = document.getElementById("live");

// What the stream brought holds times as the server writes them.
onPlaced((message) => {
  if (message.html) localise(page);
  acts();
});

// While Croody cannot be reached nothing is changed from here, and each button says why. One that the server closed stays closed.
function acts() {
  const lost = document.documentElement.classList.contains("lost");
  for (const button of page.querySelectorAll('form[method="post"] button, button[form]')) {
    if ("closed" in button.dataset || button.disabled === lost) continue;
    button.disabled = lost;
    button.title = lost ? page.dataset.lostWord : "";
  }
}
new MutationObserver(acts).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });

// What was answered to an act stands above; its tab, which the address names, would scroll it out of sight.
if (document.querySelector(".messages") && location.hash) addEventListener("load", () => setTimeout(() => scrollTo(0, 0)));

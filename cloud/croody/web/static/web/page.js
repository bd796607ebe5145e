// What every page does: theme, menu, the reader's own time zone, copying. Without it everything still works.
import { localise } from "./ages.js";

const root = document.documentElement;
const order = ["system", "light", "dark"];

function current() {
  return root.dataset.theme || "system";
}

function show(button) {
  const theme = current();
  const use = button.querySelector("use");
  const names = { system: "system", light: "sun", dark: "moon" };
  use.setAttribute("href", use.getAttribute("href").replace(/#.*$/, "#" + names[theme]));
  button.title = button.dataset[theme];
  button.setAttribute("aria-label", button.dataset[theme]);
}

for (const button of document.querySelectorAll("[data-theme-switch]")) {
  show(button);
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(current()) + 1) % order.length];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch (_) {
      // Remembered for this page only.
    }
    show(button);
  });
}

const menu = document.querySelector("[data-menu]");
if (menu) {
  const nav = document.getElementById(menu.getAttribute("aria-controls"));
  menu.addEventListener("click", () => {
    const open = nav.toggleAttribute("data-closed") === false;
    menu.setAttribute("aria-expanded", String(open));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.getAttribute("aria-expanded") === "true") {
      menu.click();
      menu.focus();
    }
  });
}

localise(document);

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
    } catch (_) {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById(button.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      return;
    }
    const label = button.querySelector("[data-label]");
    const before = label.textContent;
    label.textContent = button.dataset.done;
    setTimeout(() => { label.textContent = before; }, 2000);
  });
}

// A part of the page that the server draws again every few seconds.
const part = document.querySelector("[data-refresh-s]");
if (part) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.title = fresh.title;
      document.getElementById(part.id).replaceChildren(...fresh.getElementById(part.id).childNodes);
      localise(document.getElementById(part.id));
    } catch (_) {
      // Shown as it was; its time of checking says how old it is.
    }
  }, Number(part.dataset.refreshS) * 1000);
}

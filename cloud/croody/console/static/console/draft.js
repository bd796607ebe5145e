// What somebody wrote into a form while their session ended: kept in this tab until they are back, put into the form again, and nowhere else.
const NAME = "draft";
const KEPT_MS = 3600_000;
const template = document.getElementById("draft-words");
const who = template.dataset.of;

const fieldsOf = (form) => [...form.elements].filter(
  (one) => one.name && !["hidden", "password", "file", "submit", "button", "fieldset"].includes(one.type),
);
const isTick = (one) => one.type === "checkbox" || one.type === "radio";
const valueOf = (one) => (isTick(one) ? one.checked : one.value);
// A button may send its form elsewhere; by what stands in it, it is found again.
const formsOf = () => [...document.querySelectorAll("main form[method=post]")].filter((form) => fieldsOf(form).length);
const shape = (form) => fieldsOf(form).map((one) => (isTick(one) ? `${one.name}=${one.value}` : one.name)).join(" ");

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch (_) {
    return null;
  }
}

function keep(draft) {
  try {
    if (draft) sessionStorage.setItem(NAME, JSON.stringify(draft));
    else sessionStorage.removeItem(NAME);
  } catch (_) {
    // A browser that keeps nothing, or a text that is too long: as without this.
  }
}

// With what the server has put into the form already, there is nothing to bring back.
function fill(form, values) {
  let changed = false;
  fieldsOf(form).forEach((one, index) => {
    if (valueOf(one) === values[index]) return;
    changed = true;
    if (isTick(one)) one.checked = values[index];
    else one.value = values[index];
  });
  return changed;
}

// Whoever comes from the log-in and its pages had to: what was refused for another reason says so itself.
const comesFromLogIn = () => document.referrer.startsWith(`${location.origin}/`) && new URL(document.referrer).pathname.includes("/cuenta/");

function bringBack() {
  const draft = kept();
  if (!draft) return;
  // Whoever logs in with two factors comes to the first page, and from there to theirs.
  const waits = draft.who === who && Date.now() - draft.at <= KEPT_MS && (draft.back || comesFromLogIn());
  const here = draft.path === location.pathname;
  keep(waits && !here ? { ...draft, back: true } : null);
  if (!waits || !here) return;
  const form = formsOf().find((one) => shape(one) === draft.shape);
  if (form && fill(form, draft.values)) form.prepend(template.content.cloneNode(true));
}

bringBack();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!formsOf().includes(form)) return;
  keep({ who, path: location.pathname, shape: shape(form), values: fieldsOf(form).map(valueOf), at: Date.now() });
}, true);

// Subscribes this browser to notices, says where that cannot be, and knows which of the list it is.
const form = document.querySelector("form[data-push]");
const key = form.dataset.push;

function show(state, reason = "") {
  for (const one of form.querySelectorAll("[data-push-state]")) one.hidden = one.dataset.pushState !== state;
  // Who may try again still has the button.
  if (state === "failed") form.querySelector("[data-push-state=can]").hidden = false;
  form.querySelector("[data-push-reason]").textContent = reason;
}

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

async function mark(endpoint) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return [...new Uint8Array(digest)].map((one) => one.toString(16).padStart(2, "0")).join("");
}

// One that was made with another key of this site hears nothing any more.
function isOfThisKey(subscription) {
  const made = subscription.options?.applicationServerKey;
  const ours = bytes(key);
  return !made || [...new Uint8Array(made)].every((one, index) => one === ours[index]);
}

// Registered once, the worker is active when the browser says so; only then can it be subscribed.
async function active(registration) {
  const worker = registration.installing || registration.waiting;
  if (registration.active || !worker) return registration;
  await new Promise((done, failed) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") done();
      if (worker.state === "redundant") failed(new Error("worker"));
    });
  });
  return registration;
}

async function subscribe() {
  const registration = await active(await navigator.serviceWorker.register(form.dataset.worker));
  const old = await registration.pushManager.getSubscription();
  if (old && !isOfThisKey(old)) await old.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
}

async function add(event) {
  event.preventDefault();
  if ((await Notification.requestPermission()) !== "granted") {
    show("denied");
    return;
  }
  try {
    form.elements.subscription.value = JSON.stringify(await subscribe());
  } catch (error) {
    show("failed", `${error.name}: ${error.message}`);
    return;
  }
  form.submit();
}

// Of the list, the one that we are in: it is taken off here, too.
async function place(subscription) {
  const here = await mark(subscription.endpoint);
  const row = document.querySelector(`[data-browser="${here}"]`);
  if (!row) return false;
  row.querySelector(".here").hidden = false;
  row.querySelector("form").addEventListener("submit", () => subscription.unsubscribe());
  return true;
}

async function begin() {
  if (!window.isSecureContext) return show("insecure");
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return show("unable");
  form.addEventListener("submit", add);
  const registration = await navigator.serviceWorker.getRegistration(form.dataset.worker);
  const subscription = registration && (await registration.pushManager.getSubscription());
  if (subscription && isOfThisKey(subscription) && (await place(subscription))) return show("here");
  return show(Notification.permission === "denied" ? "denied" : "can");
}

begin();

// Passkeys: asks the browser for one, puts what it says into the form and sends it. What is asked for comes from the server.
const BUFFERS = new Set(["challenge", "id", "rawId"]);

function bytes(text) {
  const packed = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const packed = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(packed).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// The server's text where the browser takes bytes: the challenge, and ids of the user and of keys.
function unpacked(value, name = "") {
  if (typeof value === "string") return BUFFERS.has(name) ? bytes(value) : value;
  if (Array.isArray(value)) return value.map((one) => unpacked(one));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, name === "rp" ? one : unpacked(one, key)]),
  );
}

function told(credential) {
  const { response } = credential;
  const said = {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { clientDataJSON: text(response.clientDataJSON) },
  };
  if (credential.authenticatorAttachment) said.authenticatorAttachment = credential.authenticatorAttachment;
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) said.response[name] = text(response[name]);
  }
  return said;
}

async function options(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.dataset.optionsFrom, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return (await answer.json()).request_options;
}

async function ask(form) {
  const asked = unpacked(await options(form));
  if (form.dataset.passkey === "get") return navigator.credentials.get(asked);
  const alone = form.elements.passwordless?.checked ?? false;
  const choice = asked.publicKey.authenticatorSelection ?? {};
  choice.residentKey = alone ? "required" : "discouraged";
  choice.requireResidentKey = alone;
  if (alone) choice.userVerification = "required";
  asked.publicKey.authenticatorSelection = choice;
  return navigator.credentials.create(asked);
}

for (const form of document.querySelectorAll("[data-passkey]")) {
  const failed = document.querySelector("[data-passkey-failed]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(told(await ask(form)));
      form.submit();
    } catch (_) {
      // The reader turned it away, or there is none: said where the button is.
      failed.hidden = false;
    }
  });
}

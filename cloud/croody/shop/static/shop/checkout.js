// Another delivery, another total: the server worded both, here they are put in their place.
const places = { total: "total", delivery: "delivery" };

function show(radio) {
  for (const [name, key] of Object.entries(places)) {
    const place = document.querySelector(`[data-shows="${name}"]`);
    if (place) place.textContent = radio.dataset[key];
  }
}

for (const radio of document.querySelectorAll("input[data-total]")) {
  radio.addEventListener("change", () => show(radio));
  if (radio.checked) show(radio);
}

// An address of theirs is written into the form without asking the server for the page again; whichever stands there is pressed.
const addresses = [...document.querySelectorAll("button[data-fill]")].map((button) => ({ button, fields: Object.entries(JSON.parse(button.dataset.fill)) }));
const field = (name) => document.getElementById(`id_${name}`);

function press() {
  for (const { button, fields } of addresses) button.setAttribute("aria-pressed", String(fields.every(([name, said]) => field(name)?.value === said)));
}

for (const { button, fields } of addresses) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    for (const [name, said] of fields) if (field(name)) field(name).value = said;
    press();
  });
}
if (addresses.length) document.querySelector(".checkout .asked").addEventListener("input", press);

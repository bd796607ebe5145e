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

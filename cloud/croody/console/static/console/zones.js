// Fields for days and times speak of the zone that the page's times are in. Without script it is the one of the preferences, else UTC.
import { onZone, written, zoneName } from "../web/ages.js";

// What somebody has begun to write stays as they wrote it, in the zone that stands beside it.
const isWritten = (field) => (field.dataset.at ? field.value !== (field.dataset.was || field.defaultValue) : field.value !== "");

function place() {
  const zone = zoneName();
  for (const form of document.querySelectorAll("form[data-zoned]")) {
    const fields = [...form.querySelectorAll("input[type=date], input[type=datetime-local]")];
    if (fields.some(isWritten)) continue;
    form.elements.zone.value = zone;
    form.querySelector("[data-zone-name]").textContent = zone;
    for (const field of fields) if (field.dataset.at) field.value = field.dataset.was = written(new Date(field.dataset.at));
  }
  // The zone of a notice channel that is not saved yet.
  for (const field of document.querySelectorAll("input[data-own-zone]")) {
    if (field.value === field.defaultValue) field.value = field.defaultValue = zoneName();
  }
}

place();
onZone(place);

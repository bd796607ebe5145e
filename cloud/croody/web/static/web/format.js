// Numbers, ages and times by the rules of croody/web/formats.py; a test holds both to one table.
"use strict";
window.croody = window.croody || {};
(function (croody) {
  const NBSP = "\u00a0";
  const spanish = document.documentElement.lang !== "en";

  // Half to even, as Python does. toFixed already works on the exact binary value and only rounds a true tie up; a value
  // is a true tie at `decimals` exactly when it is an odd number of 1 / 2 ** (decimals + 1), and that product is exact.
  function fixed(value, decimals) {
    const size = Math.abs(value);
    if (Math.abs((size * 2 ** (decimals + 1)) % 2) !== 1) return size.toFixed(decimals);
    const down = Math.floor(size * 10 ** decimals);
    return ((down % 2 ? down + 1 : down) / 10 ** decimals).toFixed(decimals);
  }

  croody.number = function (value, decimals, es = spanish) {
    if (!Number.isFinite(value)) return "\u2014";
    const text = fixed(value, decimals);
    let [whole, part] = text.split(".");
    whole = whole.replace(/\B(?=(\d{3})+$)/g, es ? NBSP : ",");
    const sign = value < 0 && /[1-9]/.test(text) ? "\u2212" : "";
    return sign + whole + (part ? (es ? "," : ".") + part : "");
  };

  croody.value = function (value, decimals, factor = 1) {
    if (typeof value === "number") return croody.number(value * factor, decimals);
    if (typeof value === "boolean") return croody.words ? croody.words[value ? "yes" : "no"] : String(value);
    return value === undefined || value === null ? "\u2014" : String(value);
  };

  croody.percent = function (part, whole, es = spanish) {
    if (part >= whole) return "100" + NBSP + "%";
    return croody.number(Math.floor((part / whole) * 100000) / 1000, 3, es) + NBSP + "%";
  };

  croody.age = function (seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return whole + NBSP + "s";
    if (whole < 3600) return Math.floor(whole / 60) + NBSP + "min";
    if (whole < 86400) {
      const minutes = Math.floor((whole % 3600) / 60);
      return Math.floor(whole / 3600) + NBSP + "h" + (minutes ? " " + minutes + NBSP + "min" : "");
    }
    return Math.floor(whole / 86400) + NBSP + "d";
  };

  const two = (number) => String(number).padStart(2, "0");
  const MONTHS = spanish
    ? ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"]
    : ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  croody.clock = (at) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  croody.moment = (at) => `${at.getDate()} ${MONTHS[at.getMonth()]} ${at.getFullYear()}, ${two(at.getHours())}:${two(at.getMinutes())}`;
  croody.offset = function (at) {
    const minutes = -at.getTimezoneOffset();
    return "UTC" + (minutes < 0 ? "\u2212" : "+") + two(Math.floor(Math.abs(minutes) / 60)) + ":" + two(Math.abs(minutes) % 60);
  };
})(window.croody);

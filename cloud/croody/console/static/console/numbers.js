// A number under the cursor and on an axis, as `number` of croody/web/formats.py writes it; a test holds both to one table.
const NBSP = "\u00a0";

// Half to even, as Python: `toFixed` alone takes the greater one.
function fixed(value, decimals) {
  const exact = value.toFixed(Math.min(100, decimals + 25));
  const point = exact.indexOf(".");
  if (!/^50*$/.test(exact.slice(point + 1 + decimals))) return value.toFixed(decimals);
  const cut = exact.slice(0, decimals ? point + 1 + decimals : point);
  return Number(cut.at(-1)) % 2 ? value.toFixed(decimals) : cut;
}

export function number(value, decimals, language) {
  if (!Number.isFinite(value)) return "\u2014";
  const [point, group] = language === "es" ? [",", NBSP] : [".", ","];
  if (Math.abs(value) >= 1e15) return value.toExponential(1).replace("e+", "e").replace(".", point).replace("-", "\u2212");
  const [whole, part] = fixed(Math.abs(value), decimals).split(".");
  const sign = value < 0 && /[1-9]/.test(whole + (part || "")) ? "\u2212" : "";
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, group) + (part ? point + part : "");
}

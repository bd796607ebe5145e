// Single keys: whether this reader wants them, and whether one is typing. They can be switched off: some people hit keys without meaning to.
export function singleKeys() {
  try {
    return localStorage.getItem("keys") !== "off";
  } catch (_) {
    return true;
  }
}

export function setSingleKeys(on) {
  try {
    if (on) localStorage.removeItem("keys");
    else localStorage.setItem("keys", "off");
  } catch (_) {
    // Storage is closed to us: they stay as they are.
  }
}

// Whether a key that was pressed is meant as one of ours.
export function meant(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !singleKeys()) return false;
  return !event.target.closest("input, textarea, select, [contenteditable], dialog[open]");
}

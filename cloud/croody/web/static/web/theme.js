// Before the first paint: the theme and the zone that this reader chose, and a mark that scripts run. Nothing else belongs here.
(function () {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("zone") === "UTC") root.dataset.zone = "UTC";
  } catch (_) {
    // Storage is closed to us: the system's theme it is.
  }
})();

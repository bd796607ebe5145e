// Shows a notice that came by the browser's push service, and opens its alarm. Sees no page, keeps nothing, asks no network.
self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("push", (event) => {
  const { title, body, tag, address, language } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag, renotify: true, lang: language, data: { address } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const address = new URL(event.notification.data.address, self.location.origin);
  if (address.origin !== self.location.origin) return;
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((windows) => {
      const there = windows.find((one) => new URL(one.url).pathname.endsWith(address.pathname));
      return there ? there.focus() : self.clients.openWindow(address.href);
    }),
  );
});

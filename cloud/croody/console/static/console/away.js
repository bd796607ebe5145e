// The page of a database that is away: asks every few seconds, and loads itself anew once there is another answer.
async function ask() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    if (answer.status < 500) {
      location.reload();
      return;
    }
  } catch (_) {
    // No connection either: it goes on asking.
  }
  wait();
}

// Not all who wait at once.
function wait() {
  setTimeout(ask, 3000 + 2000 * Math.random());
}
wait();

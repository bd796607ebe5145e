"""`croody-bridge`: runs one bridge until SIGTERM. Settings come from the environment (see `settings`)."""

import argparse
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from croody import catalogue
from croody.bridge import settings
from croody.bridge.shell import Bridge
from croody.env import BadEnvironment
from croody_contract.ending import on_end
from croody_contract.printable import log_lines

log = logging.getLogger("croody.bridge")
BEAT_EVERY_S = 1.0


def main() -> None:
    """Run until told to end. Exit status 1 when a thread died: whoever started the bridge starts it again."""
    log_lines(logging.INFO, "%(asctime)s %(levelname)s %(name)s %(message)s")
    _ = catalogue.of(catalogue.speak()).gettext
    about = _("Lleva lo que publican los robots del broker a la API de telemetría. Sus ajustes están en docs/reference/settings.md.")
    parser = argparse.ArgumentParser(prog="croody-bridge", description=about)
    parser.parse_args()
    try:
        wanted = settings.read(os.environ)
    except BadEnvironment as error:
        sys.exit(f"croody-bridge: {error}")
    if wanted.trace:
        logging.getLogger("croody.bridge").setLevel(logging.DEBUG)
    stop = threading.Event()
    on_end(stop.set)
    bridge = Bridge(wanted)
    bridge.start()
    while not stop.wait(BEAT_EVERY_S):
        if not bridge.healthy():
            log.critical("a thread died: ending, to be started again")
            sys.exit(1)
        if wanted.heartbeat is not None:
            _beat(wanted.heartbeat, "listening" if bridge.listening() else "waiting")
    bridge.stop()


def _beat(path: Path, word: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(f"{word} {datetime.now(UTC).isoformat()}\n", encoding="utf-8")
    os.replace(fresh, path)


if __name__ == "__main__":
    main()

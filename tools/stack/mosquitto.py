"""Mosquitto with the same credential and topic files as our own broker. Writes its configuration and tells it of changes."""

import os
import shutil
import signal
import threading
from pathlib import Path

from tools.stack.health import mqtt
from tools.stack.process import Process, Spec
from tools.words import Problem


def program() -> str:
    """Path of mosquitto.

    Raises:
        Problem: it is not installed.
    """
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not found:
        raise Problem(
            "BROKER=mosquitto necesita Mosquitto y aquí no está: instálelo con «apt-get install mosquitto» (como root o con sudo).",
            "BROKER=mosquitto needs Mosquitto, which is not here: install it with 'apt-get install mosquitto' (as root or with sudo).",
        )
    return found


def configuration(port: int, passwd: Path, acl: Path) -> str:
    """The text of mosquitto.conf: nobody without credentials, nothing kept, packets as large as the contract allows."""
    lines = [
        "per_listener_settings false",
        f"listener {port} 127.0.0.1",
        "allow_anonymous false",
        f"password_file {passwd}",
        f"acl_file {acl}",
        "persistence false",
        "retain_available false",
        "max_packet_size 270336",
        "max_inflight_messages 100",
        "max_queued_messages 100000",
        "max_queued_bytes 67108864",
        "set_tcp_nodelay true",
        "max_keepalive 120",
        "connection_messages false",
    ]
    if os.geteuid() == 0:
        # As the account `mosquitto` it could read its files once, and never again after a change.
        lines.append("user root")
    return "\n".join(lines) + "\n"


def spec(name: str, port: int, passwd: Path, acl: Path, state: Path) -> Spec:
    """How to run it."""
    path = state / "mosquitto.conf"

    def before() -> None:
        path.write_text(configuration(port, passwd, acl), encoding="utf-8")

    return Spec(name, [program(), "-c", str(path)], ready=mqtt(port), before=before)


class Reloader(threading.Thread):
    """Sends SIGHUP to the broker when a credential file changes, which is how Mosquitto re-reads them."""

    def __init__(self, process: Process, files: list[Path], period_s: float = 0.2) -> None:
        super().__init__(name="mosquitto-reloader", daemon=True)
        self._process = process
        self._files = files
        self._period_s = period_s
        self._ended = threading.Event()

    def run(self) -> None:
        """Watch until `end`."""
        seen = self._look()
        while not self._ended.wait(self._period_s):
            now = self._look()
            if now != seen:
                seen = now
                self._process.signal(signal.SIGHUP)

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()

    def _look(self) -> list[tuple[int, int]]:
        stats = [path.stat() for path in self._files if path.exists()]
        return [(stat.st_ino, stat.st_mtime_ns) for stat in stats]

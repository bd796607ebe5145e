"""What `make up` needs to itself: the state directory and the ports. Says who has them otherwise."""

import fcntl
import os
from io import TextIOWrapper
from pathlib import Path

from tools.stack.health import holder, is_free
from tools.stack.options import VARIABLES, Ports
from tools.words import Problem, words

_ROLES = {
    "web": ("las páginas", "the pages"),
    "telemetry": ("la API de telemetría", "the telemetry API"),
    "ids": ("la API de detección", "the detection API"),
    "mqtt": ("MQTT", "MQTT"),
    "robot": ("el protocolo TCP del robot", "the robot's TCP protocol"),
}


def claim_state(state: Path) -> TextIOWrapper:
    """Take the state directory; keep the file open as long as it is needed.

    Raises:
        Problem: another `make up` of this clone runs; says which and where.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (state / "up.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        pid, _, address = lock.read().strip().partition(" ")
        lock.close()
        raise Problem(
            f"Croody ya está en marcha en esta carpeta (proceso {pid}): {address}; para pararlo, Ctrl-C en su terminal o «kill {pid}».",
            f"Croody runs in this folder already (process {pid}): {address}; to end it, Ctrl-C in its terminal or 'kill {pid}'.",
        ) from None
    return lock


def announce(lock: TextIOWrapper, address: str) -> None:
    """Leave word for a second `make up`."""
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()} {address}\n")
    lock.flush()


def check_ports(ports: Ports) -> None:
    """Say which port is taken, by whom, and how to go round it.

    Raises:
        Problem: one sentence for each port that is taken.
    """
    taken = [name for name in VARIABLES if not is_free(getattr(ports, name))]
    if not taken:
        return
    remedy = " ".join(f"{name.upper()}_PORT={_another(ports, name)}" for name in taken)
    sentences = []
    for name in taken:
        port, role = getattr(ports, name), words(*_ROLES[name])
        who = holder(port)
        by = words("por otro usuario", "by another user")
        if who:
            by = words(f"por el proceso {who[0]}: {who[1][:80]}", f"by process {who[0]}: {who[1][:80]}")
        sentences.append(words(f"El puerto {port} ({role}) está ocupado {by}.", f"Port {port} ({role}) is in use {by}."))
    told = " ".join(sentences)
    raise Problem(f"{told} Ciérralo o mueve Croody: make up {remedy}", f"{told} End it, or move Croody: make up {remedy}")


def _another(ports: Ports, name: str) -> int:
    """A free port near the one that is taken."""
    used = {getattr(ports, other) for other in VARIABLES}
    return next(port for port in range(getattr(ports, name) + 1, 65536) if port not in used and is_free(port))

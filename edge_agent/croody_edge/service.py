"""A process below systemd: says that it is ready, how it is, and that it lives, on the socket that NOTIFY_SOCKET names (sd_notify(3)).

It lives while its way out moves: the other side answered something, or a try to reach it ended. A timer would say only that a timer runs.
"""

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

from croody_contract.printable import printable

log = logging.getLogger("croody.agent")

#: Between two words of the same, seconds.
_PAUSE_S: Final = 1.0
_MOST_STATUS: Final = 300
#: systemd's levels (sd-daemon(3)) for those of Python.
_LEVELS: Final = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


class Service:
    """Tells systemd; without it, nobody."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Args: `environ` as systemd made it: NOTIFY_SOCKET, and WATCHDOG_USEC and WATCHDOG_PID where it wants to hear that we live."""
        self._address = environ.get("NOTIFY_SOCKET", "")
        #: How long systemd waits for a sign of life, seconds; 0 when it waits for none.
        self.watchdog_s = _watchdog_s(environ)
        self._fed_pulse_s = self._next_s = 0.0
        self._status: str | None = None

    def ready(self) -> None:
        """The agent keeps readings from here on, whether or not the cloud is there."""
        self._say("READY=1")

    def stopping(self) -> None:
        """It ends by itself now."""
        self._say("STOPPING=1")

    def turn(self, status: str, pulse_s: float, mono_s: float) -> None:
        """What is new to be told.

        Args:
            status: how the agent is, for a person.
            pulse_s: when its way out last moved, seconds of the monotonic clock.
            mono_s: now.
        """
        if not self._address or mono_s < self._next_s:
            return
        self._next_s = mono_s + _PAUSE_S
        if status != self._status:
            self._status = status
            self._say(f"STATUS={printable(status)[:_MOST_STATUS]}")
        if self.watchdog_s and pulse_s > self._fed_pulse_s:
            self._fed_pulse_s = pulse_s
            self._say("WATCHDOG=1")

    def _say(self, words: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.sendto(words.encode(), address)
        except OSError as error:
            log.debug("systemd does not hear %s: %s", words, error)


def _watchdog_s(environ: Mapping[str, str]) -> float:
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    try:
        return int(environ.get("WATCHDOG_USEC", "0")) / 1e6
    except ValueError:
        return 0.0


def writes_to_journal(environ: Mapping[str, str]) -> bool:
    """Say whether standard error is the journal's, which has the time already and wants the priority (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        told = os.fstat(2)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{told.st_dev}:{told.st_ino}"


class PriorityFilter(logging.Filter):
    """Gives each line its `priority`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every line passes."""
        record.priority = next((number for level, number in _LEVELS if record.levelno >= level), 7)
        return True

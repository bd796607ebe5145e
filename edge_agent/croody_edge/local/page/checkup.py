"""What the doctor says, for the page: run as a process of its own while somebody looks, at most every ten minutes, and remembered.

A process, because what it loads and opens would stay in the agent's memory.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from threading import Lock, Thread
from time import monotonic
from typing import Final

import msgspec

from croody_edge.local.page.facts import Checked

log = logging.getLogger("croody.page")

_EVERY_S: Final = 600.0
_LONGEST_S: Final = 120.0
_MOST: Final = 100
#: It has time: readings go first.
_NICE: Final = 10


class _Said(msgspec.Struct):
    findings: list[Checked]


class Checkup:
    """The last findings in each language."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._guard = Lock()
        self._found: dict[str, tuple[list[Checked], float]] = {}
        self._asked_s: dict[str, float] = {}
        self._runs = False

    def findings(self, language: str) -> tuple[Sequence[Checked], float] | None:
        """What it said last, and how long ago, seconds; looks again in the background when that is long ago."""
        now = monotonic()
        with self._guard:
            if not self._runs and now - self._asked_s.get(language, -_EVERY_S) >= _EVERY_S:
                self._runs, self._asked_s[language] = True, now
                Thread(target=self._run, args=(language,), name="croody page doctor", daemon=True).start()
            found = self._found.get(language)
        return (found[0], now - found[1]) if found is not None else None

    def _run(self, language: str) -> None:
        environ = self._environ | {"LC_ALL": "es_ES.UTF-8" if language == "es" else "C.UTF-8", "PYTHONUTF8": "1"}
        command = [sys.executable, "-m", "croody_edge", "doctor", "--json"]
        try:
            with subprocess.Popen(
                command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as doctor:
                os.setpriority(os.PRIO_PROCESS, doctor.pid, _NICE)
                try:
                    said, _ = doctor.communicate(timeout=_LONGEST_S)
                finally:
                    doctor.kill()
            found = msgspec.json.decode(said, type=_Said).findings[:_MOST]
            with self._guard:
                self._found[language] = (found, monotonic())
        except (OSError, subprocess.SubprocessError, msgspec.MsgspecError) as error:
            log.warning("doctor: %s", error)
        finally:
            with self._guard:
                self._runs = False

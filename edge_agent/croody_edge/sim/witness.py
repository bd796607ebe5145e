"""A notebook outside the system: one line for every record whose publish returned. Audits compare it with the database."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

from croody_contract.batch import payload_hash
from croody_edge.texts import text

#: What an agent calls for every record whose publish is about to return: stream, seq, bytes.
Saw = Callable[[str, int, bytes], None]


class Witness:
    """Appends `robot_id stream seq`, and with `hashes` the payload's hash. Each line is with the system when `saw` returns."""

    def __init__(self, path: Path, *, hashes: bool = False) -> None:
        """Open the file, or begin it.

        Raises:
            OSError: it cannot be written.
        """
        self._hashes = hashes
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def saw(self, robot_id: str, stream: str, seq: int, payload: bytes) -> None:
        """Note one record.

        Raises:
            OSError: the line cannot be written.
        """
        line = f"{robot_id} {stream} {seq} {payload_hash(payload)}\n" if self._hashes else f"{robot_id} {stream} {seq}\n"
        data = line.encode()
        if os.write(self._descriptor, data) != len(data):
            raise OSError(text("sim.witness_in_part"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._descriptor)


class Notes:
    """Counts what was published, and has it witnessed. A witness that misses something is worse than none: it ends the run."""

    def __init__(self, witness: Witness | None, stop: Event, wake: Event) -> None:
        """`stop` and `wake` are set when the witness fails; `failure` then says why."""
        self._witness, self._stop, self._wake = witness, stop, wake
        self.count = 0
        self.failure: OSError | None = None

    def of(self, robot_id: str) -> Saw:
        """A callback for one robot's agent."""

        def saw(stream: str, seq: int, payload: bytes) -> None:
            self.count += 1
            if self._witness is None or self.failure is not None:
                return
            try:
                self._witness.saw(robot_id, stream, seq, payload)
            except OSError as error:
                self.failure = error
                self._stop.set()
                self._wake.set()

        return saw

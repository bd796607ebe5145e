"""Runs a peer's program for the time of a block."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.bench.peers.absent import Absent
from tools.stack import ROOT, Process, Spec, source_path


@contextmanager
def running(
    folder: Path,
    name: str,
    command: Sequence[str],
    ready: Callable[[], bool],
    *,
    environ: Mapping[str, str] | None = None,
    within_s: float = 30,
) -> Iterator[Process]:
    """Start it in `folder` and wait until it is ready; it ends with the block.

    Raises:
        Absent: it did not become ready; holds the end of its log.
    """
    whole = {"PYTHONPATH": f"{source_path()}{os.pathsep}{ROOT}", "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin", **(environ or {})}
    process = Process(Spec(name, list(command), whole, ready, cwd=folder), folder)
    process.start()
    try:
        if not process.wait_ready(time.monotonic() + within_s):
            raise Absent(f"{name} is left out: it did not start within {within_s:.0f} s: {' '.join(process.log_tail(4).split())}")
        yield process
    finally:
        process.stop()

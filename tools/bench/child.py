"""Runs a measuring program in a process of its own and reads the one JSON object that it prints."""

import json
import select
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tools.stack import ROOT, script, source_path
from tools.words import Problem

_Popen = subprocess.Popen[str]


def measure(program: str, arguments: Mapping[str, Any], *, timeout_s: float) -> dict[str, Any]:
    """What `tools.bench.work.PROGRAM` printed.

    Raises:
        Problem: it failed or hung; the text holds the end of what it said.
    """
    return end(begin(program, arguments), program, timeout_s=timeout_s)


@contextmanager
def beside(program: str, arguments: Mapping[str, Any], *, timeout_s: float = 60) -> Iterator[dict[str, Any]]:
    """Let a program that prints `ready` run beside the block; what it found is in the dictionary after the block.

    Raises:
        Problem: as in `measure`.
    """
    process = begin(program, arguments)
    found: dict[str, Any] = {}
    try:
        out = process.stdout
        if out is None or not select.select([out], [], [], timeout_s)[0] or out.readline().strip() != "ready":
            end(process, program, timeout_s=timeout_s)
            raise Problem(f"{program}: terminó sin empezar.", f"{program}: ended before it began.")
        yield found
        found.update(end(process, program, timeout_s=timeout_s))
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def begin(program: str, arguments: Mapping[str, Any]) -> _Popen:
    """Start it. Its arguments are the first line of its standard input: a command line has no room for ten thousand robots."""
    command = [script("python"), "-m", f"tools.bench.work.{program}"]
    whole = {"PATH": "/usr/bin:/bin", "PYTHONPATH": source_path()}
    process = subprocess.Popen(
        command, env=whole, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
    except BrokenPipeError:  # It ended at once: `end` tells why.
        pass
    return process


def end(process: _Popen, program: str, *, timeout_s: float) -> dict[str, Any]:
    """Close its standard input, which some take as the sign to stop, and read its answer.

    Raises:
        Problem: as in `measure`.
    """
    try:
        out, err = process.communicate("", timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise Problem(f"{program}: no terminó en {timeout_s:.0f} s.", f"{program}: did not end within {timeout_s:.0f} s.") from error
    if process.returncode != 0:
        tail = "\n".join(err.splitlines()[-12:])
        raise Problem(f"{program}: falló:\n{tail}", f"{program}: failed:\n{tail}")
    answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    return answer

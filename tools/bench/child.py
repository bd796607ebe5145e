"""Runs a measuring program in a process of its own and reads the one JSON object that it prints."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from tools.stack import script, source_path
from tools.words import Problem


def measure(program: str, arguments: Mapping[str, Any], environ: Mapping[str, str], *, timeout_s: float) -> dict[str, Any]:
    """What `tools.bench.work.PROGRAM` printed.

    Raises:
        Problem: it failed or hung; the text holds the end of what it said.
    """
    process = begin(program, arguments, environ)
    return end(process, program, timeout_s=timeout_s)


def begin(program: str, arguments: Mapping[str, Any], environ: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Start it."""
    command = [script("python"), "-m", f"tools.bench.work.{program}", json.dumps(arguments)]
    whole = {"PATH": "/usr/bin:/bin", "PYTHONPATH": source_path(), **environ}
    return subprocess.Popen(command, env=whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: "subprocess.Popen[str]", program: str, *, timeout_s: float) -> dict[str, Any]:
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

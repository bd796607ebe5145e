"""The agent on a robot: its memory and processor time with its model loaded, its durable readings; beside a gateway that is idle."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.bench.peers import thingsboard
from tools.bench.peers.absent import Absent
from tools.bench.plan import Plan
from tools.bench.row import OURS, Figures, Goal, Note, Outcome, Row
from tools.bench.system import scratch
from tools.stack import ROOT, script, source_path
from tools.words import Problem

#: The edge's own program: it runs the agent as a robot does, and says what it weighs.
_PROGRAM: Final = ROOT / "edge_agent" / "tools" / "measure_agent.py"
#: What the agent's image installs, by the same list.
_OURS: Final = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "edge.txt").read_text(encoding="utf-8"), re.MULTILINE))
_SIZES: Final = """
import importlib.metadata as m, json, os, sys
names = json.loads(sys.argv[1])
total = 0
for one in m.distributions():
    name = (one.metadata["Name"] or "").lower().replace("_", "-")
    if name in ("pip", "setuptools", "wheel") or (names is not None and name not in names):
        continue
    for file in one.files or ():
        path = str(one.locate_file(file))
        if not path.endswith(".pyc") and os.path.isfile(path):
            total += os.path.getsize(path)
print(total)
"""
_BARE: Final = "bare SQLite, inserts"
_LIMIT_S: Final = 300


def run(plan: Plan) -> Iterator[Row | Note]:
    """No broker: everything waits in the outbox. Each is watched once, and for a while."""
    rounds: dict[str, list[Figures]] = {OURS: [_agent(plan)]}
    absent: list[Note] = []
    try:
        rounds[thingsboard.NAME] = [_gateway(plan)]
    except Absent as why:
        absent.append(Note(str(why)))
    idle = Outcome(rounds)
    yield idle.row("agent, one reading a second, its model loaded: memory", "mb", "MB", Goal(60))
    yield idle.row("the same: processor", "cpu", "% of a core", Goal(0.5))
    if "scored" in rounds[OURS][0]:
        yield idle.row("the same: readings that the model scored", "scored", "%")
    yield from _more(plan, rounds)
    durable = _said(plan, "publishes")
    one, bare = _figure(durable, "one by one"), _figure(durable, "bare")
    yield Row("durable readings, one by one", "/s", {OURS: [one], _BARE: [bare]})
    yield from absent


def _more(plan: Plan, idle: dict[str, list[Figures]]) -> Iterator[Row]:
    """The agent ten times as fast, and with all that it can do on its board; what it and its peer take of a disk."""
    for name, told in (("at ten readings a second", ("10",)), ("with rules, status page and Home Assistant", ("1", "beside"))):
        said = _said(plan, "1", "replay", *told)
        yield Row(f"agent, its model loaded, {name}: memory", "MB", {OURS: [_figure(said, "RSS")]}, Goal(60))
        yield Row("the same: processor", "% of a core", {OURS: [_figure(said, "CPU")]}, Goal(1) if "beside" in told else None)
    sizes = {OURS: [_installed_mb(script("python"), _OURS)]}
    if thingsboard.NAME in idle:
        sizes[thingsboard.NAME] = [_installed_mb(thingsboard.PYTHON, None)]
    yield Row("installed on a disk, without Python itself", "MB", sizes)


def _installed_mb(python: str | Path, names: set[str] | None) -> float:
    """What distributions take, of these names or of all but the installer's; ours, which are only linked, by their folders. 10^6 bytes."""
    told = [python, "-c", _SIZES, json.dumps(sorted(names) if names is not None else None)]
    done = subprocess.run(told, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=_LIMIT_S, check=True)
    own = (ROOT / "edge_agent" / "croody_edge", ROOT / "contract" / "croody_contract") if names is not None else ()
    size = int(done.stdout) + sum(file.stat().st_size for folder in own for file in folder.rglob("*") if "__pycache__" not in file.parts)
    return size / 1e6


def _agent(plan: Plan) -> Figures:
    # A recording is played, so that there are windows for the model to look at.
    said = _said(plan, "1", "replay")
    weight = {"mb": _figure(said, "RSS"), "cpu": _figure(said, "CPU")}
    return weight | {"scored": _figure(said, "scored")} if any(name.startswith("scored") for name in said) else weight


def _gateway(plan: Plan) -> Figures:
    with thingsboard.idle(plan) as process:
        time.sleep(5)
        pid = process.pid
        if pid is None:
            raise Problem(f"{thingsboard.NAME} terminó: {process.log_tail()}", f"{thingsboard.NAME} ended: {process.log_tail()}")
        before, began = _cpu_s(pid), time.monotonic()
        time.sleep(plan.idle_s)
        share = 100 * (_cpu_s(pid) - before) / (time.monotonic() - began)
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return {"mb": int(status.split("VmRSS:")[1].split()[0]) / 1024, "cpu": share}


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _said(plan: Plan, *what: str) -> dict[str, float]:
    """The JSON object that the edge's program prints for one of its measurements."""
    command = [script("python"), str(_PROGRAM), str(scratch(plan, "agent")), *what]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": source_path()}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-8:])
        name = " ".join(("measure_agent.py", *what))
        raise Problem(f"{name}: falló:\n{tail}", f"{name}: failed:\n{tail}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _figure(said: dict[str, float], begins: str) -> float:
    for name, value in said.items():
        if name.startswith(begins):
            return float(value)
    raise Problem(
        f"measure_agent.py no dijo «{begins}»: dijo {', '.join(said)}.",
        f"measure_agent.py did not tell {begins!r}: it told {', '.join(said)}.",
    )

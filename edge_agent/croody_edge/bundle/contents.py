"""What goes into a bundle, as name -> text, nothing of it masked yet. Reads the board; changes nothing."""

import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from croody_edge.doctor.finding import Finding
from croody_edge.local.rules.config import FILE as RULES
from croody_edge.local.state import State
from croody_edge.outbox.rescue import FILE
from croody_edge.outbox.store import Damaged, connect, read_streams
from croody_edge.sources.config import FILE as SOURCES

#: Variables that are ours, or that decide how we get out and what we speak.
_PREFIXES: Final = ("CROODY_", "ROBOT_", "TG_", "TELEMETRY_", "MQTT_", "LC_")
_OTHERS: Final = ("LANG", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
#: What the kernel tells of a board in a file each; the first bytes are enough.
_FACTS: Final = (
    "/etc/os-release",
    "/proc/device-tree/model",
    "/proc/meminfo",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/pressure/io",
    "/sys/class/thermal/thermal_zone0/temp",
)
_FACT_BYTES: Final = 4096
_JOURNAL: Final = ("journalctl", "-u", "croody-edge", "-n", "500", "--no-pager", "-o", "short-iso")
_JOURNAL_S: Final = 10.0
_MOST_STREAMS: Final = 1000
#: Shorter ones are words, which may stand anywhere.
_LONG: Final = 12


def ours(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that say something of the agent; everything else on the board is not asked for."""
    return {name: value for name, value in environ.items() if name.startswith(_PREFIXES) or name.upper() in _OTHERS}


def sources_table(environ: Mapping[str, str], folder: Path) -> Any:
    """What the file of sources says; nothing where there is none, its error where it cannot be read."""
    return _table(Path(environ.get("CROODY_SOURCES") or folder / SOURCES))


def rules_table(environ: Mapping[str, str], folder: Path) -> Any:
    """The same of the file of rules."""
    return _table(Path(environ.get("CROODY_RULES") or folder / RULES))


def without_secrets_of_rules(table: Any) -> Any:
    """Of a webhook its host alone, for a path lets in who knows it; of a command the program, for nobody can tell which argument does."""
    if not isinstance(table, Mapping):
        return [without_secrets_of_rules(each) for each in table] if isinstance(table, list) else table
    told: dict[str, Any] = {}
    for name, value in table.items():
        if name == "webhook" and isinstance(value, str):
            parts = urlsplit(value)
            told[name] = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/..."
        elif name == "command" and isinstance(value, list) and value:
            told[name] = [value[0], *(["..."] if len(value) > 1 else [])]
        else:
            told[name] = without_secrets_of_rules(value)
    return told


def ways_of_rules(table: Any) -> set[str]:
    """What that leaves out, as far as it may be a secret: paths of webhooks and arguments that are long enough to be none by chance."""
    if not isinstance(table, Mapping):
        return set().union(*map(ways_of_rules, table)) if isinstance(table, list) else set()
    found = set[str]()
    for name, value in table.items():
        if name == "webhook" and isinstance(value, str):
            parts = urlsplit(value)
            found |= {part for part in (*parts.path.split("/"), parts.query) if len(part) >= _LONG}
        elif name == "command" and isinstance(value, list):
            found |= {each for each in value[1:] if isinstance(each, str) and len(each) >= _LONG}
        else:
            found |= ways_of_rules(value)
    return found


def _table(file: Path) -> Any:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        return {"unreadable": type(error).__name__}


def as_json(value: Any) -> str:
    """For people and programs."""
    return json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"


def versions() -> str:
    """Of Python, the platform, and every package that is installed beside us."""
    packages = {one.metadata["Name"]: one.version for one in distributions() if one.metadata["Name"]}
    return as_json({"python": sys.version, "platform": platform.platform(), "machine": platform.machine(), "packages": packages})


def findings(found: Iterable[Finding]) -> str:
    """What the doctor said."""
    return as_json([asdict(finding) for finding in found])


def agent(state: State | None) -> tuple[str, str]:
    """How the running agent says it is, and its log; of one that does not run, what the journal has."""
    if state is None:
        return as_json(None), _journal()
    told: dict[str, Any] = msgspec.to_builtins(state)
    # What a robot measures is its owner's business.
    told["values"] = sorted(state.values)
    return as_json(told | {"log": len(state.log)}), "\n".join(state.log) + "\n"


def outbox(folder: Path) -> str:
    """Which files there are, and how many records of which stream wait."""
    facts: dict[str, Any] = {
        "folder": str(folder),
        "files": {file.name: _facts(file) for file in sorted(folder.glob("*")) if file.is_file()},
    }
    try:
        with closing(connect(folder / FILE, read_only=True)) as db:
            rows = read_streams(db)
            facts["dead"] = db.execute("SELECT reason, count(*) FROM dead GROUP BY reason").fetchall()
        facts["streams"] = [{"id": row.id, "last": row.last, "pending": row.pending, "prev": row.prev} for row in rows[-_MOST_STREAMS:]]
    except (sqlite3.Error, Damaged, OSError) as error:
        facts["unreadable"] = str(error)
    return as_json(facts)


def system(folder: Path) -> str:
    """The board: kernel, memory, load, heat, disks, networks by name."""
    facts: dict[str, Any] = {name: text for name, text in ((name, _head(Path(name))) for name in _FACTS) if text}
    facts |= {"now": datetime.now(UTC), "uid": os.geteuid(), "cpus": os.cpu_count(), "uname": " ".join(platform.uname())}
    facts["disks"] = dict(_disks(("/", str(folder), "/tmp")))
    facts["networks"] = {link.name: _head(link / "operstate") for link in sorted(Path("/sys/class/net").glob("*"))[:32]}
    return as_json(facts)


def _facts(file: Path) -> dict[str, Any]:
    with suppress(OSError):
        told = file.stat()
        return {"bytes": told.st_size, "mode": oct(told.st_mode), "at": datetime.fromtimestamp(told.st_mtime, UTC)}
    return {}


def _disks(folders: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for folder in folders:
        with suppress(OSError):
            yield folder, shutil.disk_usage(folder)._asdict()


def _head(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_FACT_BYTES).decode("utf-8", "replace").strip("\0\n")
    except OSError:
        return ""


def _journal() -> str:
    try:
        done = subprocess.run(_JOURNAL, capture_output=True, timeout=_JOURNAL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no agent answers, and there is no journal: {error}\n"
    return done.stdout.decode("utf-8", "replace")

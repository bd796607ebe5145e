"""A bundle as a file: gathered, masked, cut to size, and looked through for secrets before it is written."""

import io
import json
import os
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from croody_contract.limits import KIB, MIB
from croody_edge.bundle import contents, masking
from croody_edge.bundle.masking import Masking
from croody_edge.doctor.examine import examine
from croody_edge.local.socket import ask
from croody_edge.texts import text

#: Most of one file in it, and of all together, before they are packed, bytes.
_MOST_OF_ONE: Final = 1 * MIB
MOST_BYTES: Final = 4 * MIB
_MOST_SECRET_BYTES: Final = 64 * KIB
_CUT: Final = "... (cut: the end follows)\n"


class Leak(Exception):
    """A secret would have been in the bundle: nothing was written."""


def make(environ: Mapping[str, str], now: float) -> bytes:
    """A gzipped tar without secrets.

    Args:
        environ: of the agent.
        now: unix seconds.

    Raises:
        Leak: something in it is a secret in spite of all.
    """
    folder = Path(environ.get("CROODY_EDGE_DIR") or "croody-edge")
    table = contents.sources_table(environ, folder)
    rules = contents.rules_table(environ, folder)
    tables = masking.of_table(table, _held) | masking.of_table(rules, _held) | contents.ways_of_rules(rules)
    mask = Masking(masking.of_variables(environ, _held) | tables | _own(folder))
    state, log = contents.agent(ask(folder))
    found = {
        "README.txt": text("bundle.about"),
        "versions.json": contents.versions(),
        "settings.json": contents.as_json(mask.variables(contents.ours(environ))),
        "sources.json": contents.as_json(mask.table(table)),
        "rules.json": contents.as_json(mask.table(contents.without_secrets_of_rules(rules))),
        "doctor.json": contents.findings(examine(environ, now)),
        "agent.json": state,
        "log.txt": log,
        "outbox.json": contents.outbox(folder),
        "system.json": contents.system(folder),
    }
    files = {name: _cut(mask(said)) for name, said in found.items()}
    for name, said in files.items():
        if any(form in said for form in mask.forms):
            raise Leak(text("bundle.leak", name=name))
    return _packed(files, now)


def write(data: bytes, path: Path) -> None:
    """Readable by its owner alone.

    Raises:
        OSError: it cannot be written, or is there already.
    """
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(data)


def name_of(environ: Mapping[str, str], now: float) -> str:
    """What a bundle is called."""
    robot_id = "".join(letter for letter in environ.get("ROBOT_ID", "") if letter.isalnum() or letter in "-_")[:64]
    return f"croody-edge-{robot_id or 'board'}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}.tar.gz"


def _own(folder: Path) -> set[str]:
    """The secrets of the files by which this board came in, also where they cannot be used."""
    found = set[str]()
    for file in folder.glob("*.json"):
        try:
            found |= masking.of_table(json.loads(_held(str(file))), _held)
        except (ValueError, RecursionError):
            continue
    return found


def _held(file: str) -> str:
    """What a file of a secret holds; nothing where it cannot be read."""
    try:
        with Path(file).open("rb") as opened:
            return opened.read(_MOST_SECRET_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _cut(said: str) -> str:
    """Not more than one file may have; of what is longer the end, which is the newest."""
    if len(said.encode()) <= _MOST_OF_ONE:
        return said
    return _CUT + said.encode()[-_MOST_OF_ONE + len(_CUT) :].decode("utf-8", "ignore")


def _packed(files: Mapping[str, str], now: float) -> bytes:
    left, made = MOST_BYTES, io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, said in files.items():
            data = said.encode()[:left]
            left -= len(data)
            entry = tarfile.TarInfo(f"croody-edge/{name}")
            entry.size, entry.mtime, entry.mode = len(data), int(now), 0o600
            tar.addfile(entry, io.BytesIO(data))
    return made.getvalue()

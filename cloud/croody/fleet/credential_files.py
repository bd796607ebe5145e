"""The files that let robots in at the broker. Knows files, never how a broker reads them again."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from croody_contract import mosquitto


def texts(robots: Mapping[str, str], bridge_password: str, *, before: str, vehicles: Mapping[str, str] | None = None) -> dict[str, str]:
    """File name -> text. `robots`: robot_id -> hash of its secret; `vehicles`: see `render_acl`; `before`: the bridge's own file so far.

    A hash is salted, so the bridge's is kept from `before` while it still fits: equal input, equal text.
    """
    kept = before.strip().partition(":")[2]
    try:
        fits = mosquitto.verify(bridge_password, kept)
    except ValueError:
        fits = False
    bridge_hash = kept if fits else mosquitto.hash_secret(bridge_password)
    return mosquitto.render_files(robots, bridge_hash, vehicles=vehicles)


def replace_if_changed(path: Path, text: str) -> bool:
    """Put `text` into `path` in one step, readable by owner and group. False when it held that already.

    A reader sees the old file or the new one, also after a power cut.

    Raises:
        OSError: the folder cannot be written.
    """
    if read(path) == text:
        return False
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o640)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return True


def read(path: Path) -> str:
    """The text of a file, empty when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""

"""The broker's password and topic-rule files, in Mosquitto's formats. Knows files, never how a broker reads them again."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from croody_contract import mosquitto


def passwd(robots: Iterable[tuple[str, str]], bridge_password: str, *, before: str) -> str:
    """The text of `passwd`: one line a robot (`robots`: id and hash) and the bridge's own.

    A hash is salted, so the bridge's line is kept from `before` (the text so far) while it still fits: equal input, equal text.
    """
    lines = [f"{robot_id}:{hashed}" for robot_id, hashed in sorted(robots)]
    if bridge_password:
        kept = next((line.partition(":")[2] for line in before.splitlines() if line.startswith("bridge:")), "")
        fits = bool(kept) and mosquitto.verify_password(bridge_password, kept)
        lines.insert(0, f"bridge:{kept if fits else mosquitto.hash_password(bridge_password)}")
    return "".join(f"{line}\n" for line in lines)


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

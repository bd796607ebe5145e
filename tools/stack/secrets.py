"""Secrets of one stack, made once, each a file that only this user can read."""

import os
import secrets
from pathlib import Path

#: Environment variable -> how many random bytes it gets.
GENERATED = {"SECRET_KEY": 48, "BRIDGE_TOKEN": 32, "BRIDGE_MQTT_PASSWORD": 32, "ADMIN_PASSWORD": 9, "POSTGRES_PASSWORD": 24}


def make(folder: Path) -> None:
    """Write what is missing; what is there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, size in GENERATED.items():
        path = folder / name
        if not path.exists() or not path.read_text(encoding="utf-8").strip():
            write(path, secrets.token_urlsafe(size) + "\n")


def read(folder: Path, name: str) -> str:
    """The value of one secret."""
    return (folder / name).read_text(encoding="utf-8").strip()


def write(path: Path, text: str) -> None:
    """Replace a file whole, readable by nobody else at any moment."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_credentials(path: Path) -> dict[str, str]:
    """`ID SECRET` lines -> id: secret; nothing when there is no file."""
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {parts[0]: parts[1] for parts in lines if len(parts) == 2}


def write_credentials(path: Path, credentials: dict[str, str]) -> None:
    """The file that `croody-sim --credentials` reads."""
    write(path, "".join(f"{robot_id} {secret}\n" for robot_id, secret in credentials.items()))

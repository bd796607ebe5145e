"""Who this board is: the robot's id, its secret, where the broker listens and whom to trust, as it came in by a claim. Knows one folder.

Everything is in one file, which is replaced whole: whenever the power goes, the folder holds what was there before or what comes after.
A secret that was made and is not known to the server yet lies in a file of its own, so that it can be asked about again.
"""

import os
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from croody_edge.texts import text
from croody_edge.variables import BadSetting

NAME: Final = "identity.json"
_PENDING: Final = "enrolling.json"
_MOST_BYTES: Final = 64 * 1024
_T = TypeVar("_T")


class Identity(Struct, frozen=True, omit_defaults=True):
    """A board that came in.

    Attributes:
        robot_id: as which robot.
        secret: its own, which the broker takes.
        claim: SHA-256 (hex) of the claim's word by which it came in.
        brokers: addresses, the likeliest first.
        authority: name of the file in the folder that holds the certificate to trust; empty where every machine does.
        next: a secret that was made because the cloud asked for one.
        before: the one of before: until a rotation has ended either side may be behind the other.
    """

    robot_id: str
    secret: str
    claim: str
    brokers: list[str]
    authority: str = ""
    next: "Next | None" = None
    before: list[str] = []


class Next(Struct, frozen=True):
    """A secret made for one rotation, by the word that the cloud gave it."""

    rotation: str
    secret: str


class Pending(Struct, frozen=True):
    """A secret that was made for an exchange whose answer is still to come."""

    claim: str
    secret: str


def read(folder: Path) -> Identity | None:
    """Who this board is; None before it came in.

    Raises:
        BadSetting: the file is there and cannot be read.
    """
    return _read(folder / NAME, Identity)


def write(folder: Path, identity: Identity, authority: str = "") -> Identity:
    """Be this robot from now on. Returns it with its authority's file.

    Args:
        folder: the agent's own.
        identity: without an authority.
        authority: certificate (PEM) to trust.

    Raises:
        OSError: it cannot be written; the board is who it was before.
    """
    if authority:
        # By its content: the file of who the board was before stays as long as that holds.
        name = f"authority-{identity.claim[:16]}.pem"
        replace(folder / name, authority.encode())
        identity = msgspec.structs.replace(identity, authority=name)
    replace(folder / NAME, msgspec.json.encode(identity))
    (folder / _PENDING).unlink(missing_ok=True)
    for old in folder.glob("authority-*.pem"):
        if old.name != identity.authority:
            old.unlink(missing_ok=True)
    return identity


def keep(folder: Path, identity: Identity) -> None:
    """Write other secrets of the same board.

    Raises:
        OSError: it cannot be written; the folder is as it was.
    """
    replace(folder / NAME, msgspec.json.encode(identity))


def pending(folder: Path, claim: str) -> Pending | None:
    """The secret that was made for this claim and not answered yet.

    Raises:
        BadSetting: the file is there and cannot be read.
    """
    found = _read(folder / _PENDING, Pending)
    return found if found is not None and found.claim == claim else None


def remember(folder: Path, made: Pending) -> None:
    """Keep a secret before anybody is asked to know it.

    Raises:
        OSError: it cannot be written.
    """
    replace(folder / _PENDING, msgspec.json.encode(made))


def replace(path: Path, body: bytes) -> None:
    """Put `body` there in one step, for this user alone, also through a power cut.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path, kind: type[_T]) -> _T | None:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MOST_BYTES), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeError) as error:
        raise BadSetting(text("identity.unreadable", file=path, error=error)) from error

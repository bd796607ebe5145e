"""Where virtual robots get their names and secrets: a file of `ID SECRET` lines, or the demo's enrolment over HTTP."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from croody_contract.topics import BadTopic, check_robot_id
from croody_edge.texts import text

_ENROL_PATH: Final = "/api/telemetry/demo/robots"
_TIMEOUT_S: Final = 10.0


class NoCredentials(Exception):
    """There are none to be had; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A robot's name and secret."""

    robot_id: str
    secret: str = field(repr=False)


def from_file(path: Path) -> list[Credential]:
    """Read a credentials file; empty lines and lines that begin with # are passed over.

    Raises:
        NoCredentials: it cannot be read, or a line of it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise NoCredentials(f"{path}: {error}") from error
    out = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2:
            raise NoCredentials(text("sim.bad_line", file=path, number=number))
        try:
            out.append(Credential(check_robot_id(words[0]), words[1]))
        except BadTopic as error:
            raise NoCredentials(f"{path}:{number}: {error}") from error
    return out


def choose(found: list[Credential], wanted: int | None, first: str, path: Path) -> list[Credential]:
    """The robots to run: `first` in front when it is among them, and no more than wanted.

    Raises:
        NoCredentials: there are fewer than wanted, or none.
    """
    if not found or (wanted is not None and len(found) < wanted):
        raise NoCredentials(text("sim.too_few", file=path, have=len(found), want=wanted or 1))
    ordered = sorted(found, key=lambda credential: credential.robot_id != first)
    return ordered[:wanted]


def enrol(api: str, prefix: str, count: int, *, keep: bool = True) -> list[Credential]:
    """Ask the demo for robots of our own; those that are not kept it retires an hour after they were heard last.

    Raises:
        NoCredentials: it does not answer, or refuses.
    """
    url = api.rstrip("/") + _ENROL_PATH
    wanted: dict[str, object] = {"prefix": prefix, "count": count, "kind": "rover"}
    body = json.dumps(wanted if keep else {**wanted, "keep": False}).encode()
    try:
        # The demo answers this machine alone: no proxy leads to it.
        with build_opener(ProxyHandler({})).open(Request(url, body, {"Content-Type": "application/json"}), timeout=_TIMEOUT_S) as answer:
            robots = json.load(answer)["robots"]
        return [Credential(check_robot_id(robot["robot_id"]), str(robot["secret"])) for robot in robots]
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        raise NoCredentials(text("sim.no_enrolment", count=count, url=url, reason=error)) from error


def keep(path: Path, credentials: list[Credential]) -> None:
    """Write a credentials file that only its owner can read.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{credential.robot_id} {credential.secret}\n" for credential in credentials)

"""Where a board keeps its profile: one file, replaced whole; and how a person has it learned again. Knows one folder."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from croody_contract import profiles
from croody_contract.profiles import RULES, Profile, Refused, Rule
from croody_edge import identity

PROFILE: Final = "profile.json"
BEFORE: Final = "profile-before.json"
JOURNAL: Final = "profile.learning"
OPEN: Final = "profile-open.json"
_OPEN_BYTES: Final = 4096
#: A profile older than this is said to be old, days: seasons, wear and work change what is ordinary.
OLD_DAYS: Final = 90

#: Which file it is; None for none.
Mark = tuple[int, int, int] | None


def read(folder: Path) -> Profile | None:
    """The profile of this board; None before one was learned.

    Raises:
        Refused: it is there, and cannot be used.
    """
    path = folder / PROFILE
    try:
        with path.open("rb") as file:
            body = file.read(profiles.MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}: check the disk") from error
    return profiles.parse(body, str(path))


def keep(folder: Path, profile: Profile) -> None:
    """Be judged by this from now on; then what it was learned on goes.

    Raises:
        OSError: it cannot be written; the folder is as it was.
    """
    identity.replace(folder / PROFILE, profiles.render(profile))
    (folder / JOURNAL).unlink(missing_ok=True)


def open_rules(folder: Path) -> list[Rule]:
    """What was said to be wrong when the agent ended: nobody else would say that it is over. Nonsense is nothing."""
    try:
        told = json.loads((folder / OPEN).read_bytes()[:_OPEN_BYTES])
    except (OSError, ValueError, RecursionError):
        return []
    return [rule for rule in RULES if isinstance(told, list) and rule in told]


def keep_open(folder: Path, rules: Sequence[Rule]) -> None:
    """Remember what is said to be wrong.

    Raises:
        OSError: it cannot be written.
    """
    identity.replace(folder / OPEN, json.dumps(list(rules)).encode())


def relearn(folder: Path) -> bool:
    """Forget what is ordinary, and keep it aside; an agent that runs begins to learn within a minute. Says whether there was a profile.

    Raises:
        OSError: the folder cannot be written.
    """
    (folder / JOURNAL).unlink(missing_ok=True)
    try:
        os.replace(folder / PROFILE, folder / BEFORE)
    except FileNotFoundError:
        return False
    return True


def mark(path: Path) -> Mark:
    """Tells whether a file is still the one it was."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def age_days(profile: Profile, now: float) -> float:
    """How long ago it was learned. `now`: unix seconds."""
    return profile.age_s(datetime.fromtimestamp(now, UTC)) / 86_400

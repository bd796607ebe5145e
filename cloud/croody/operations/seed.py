"""Tables, the demo's site and robots, and the broker's files: what one system's database needs before its roles start.

    python -m croody.operations.seed PLAN CREDENTIALS ROBOT:KIND ...

prints `ID SECRET` of every robot (new ones, and those that the file CREDENTIALS holds) and `login-link URL`; `make up` runs it, and
containers call the functions (`prepare`). One process, because a start of Django costs more than everything that happens here.
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import django
from django.core.management import call_command
from django.utils import timezone

from croody.operations.secrets import pairs, read_credentials


def main(arguments: list[str]) -> int:
    """Do it; the exit status is 0 when everything is in place."""
    plan, credentials, *robots = arguments
    from croody.accounts.demo import OPERATOR

    make_tables()
    for robot_id, secret in make_demo(Path(plan), Path(credentials), robots).items():
        print(robot_id, secret)
    print("login-link", _said("login-link", "--user", OPERATOR).split()[-1])
    write_broker_files()
    return 0


def make_tables() -> str:
    """Bring every database to this version, and make the key by which browsers' push services know this site; returns what to tell."""
    said = _said("setup")
    from croody.notices.browsers import key

    key(timezone.now())
    return said


def make_demo(plan: Path, credentials: Path, robots: Iterable[str]) -> dict[str, str]:
    """The demo's site and its robots (`ID:KIND`). Returns the secret of each, and of those that the file `credentials` holds.

    Raises:
        CommandError: the plan cannot be read, or an id breaks the rules.
        OSError: the file of credentials is closed to this user.
    """
    wanted = list(robots)
    known = read_credentials(credentials) | pairs(_said("demo", "--plan", str(plan), *wanted))
    for robot_id in (text.partition(":")[0] for text in wanted):
        if robot_id not in known:  # its secret went with its file
            known |= pairs(_said("robot", "rotate", robot_id))
    return known


def write_broker_files() -> None:
    """The credential files: the broker starts after this, and must find them.

    Raises:
        OSError: their folder cannot be written.
    """
    from croody.fleet.jobs import write_credentials

    with contextlib.redirect_stdout(sys.stderr):
        write_credentials(timezone.now())


def _said(*command: str) -> str:
    """What one management command wrote to its standard output; whatever else is printed meanwhile is for the log."""
    out = io.StringIO()
    with contextlib.redirect_stdout(sys.stderr):
        # What `croody robot` says to people beside holds a secret: not for the log.
        call_command(*command, stdout=out, stderr=io.StringIO())
    return out.getvalue()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    django.setup()
    sys.exit(main(sys.argv[1:]))

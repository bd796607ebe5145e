"""Prepares the cloud of one stack: tables, demo site, robots, credential files. Runs in a process of its own, with Django.

    python -m tools.stack.seed PLAN CREDENTIALS ROBOT:KIND ...

Prints `ID SECRET` of every robot (new ones, and those that the file CREDENTIALS holds), and `login-link URL`. One process,
because a start of Django costs more than everything that happens here.
"""

import contextlib
import io
import os
import sys
from pathlib import Path

from tools.stack.secrets import read_credentials


def main() -> int:
    """Do it; the exit status is 0 when everything is in place."""
    plan, credentials, *robots = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    import django
    from django.utils import timezone

    django.setup()
    from croody.accounts.organisations import DEMO_OPERATOR
    from croody.fleet.jobs import write_credentials

    _said("setup")
    known = read_credentials(Path(credentials)) | _pairs(_said("demo", "--plan", plan, *robots))
    for robot_id in (text.partition(":")[0] for text in robots):
        if robot_id not in known:  # its secret went with its file
            known |= _pairs(_said("robot", "rotate", robot_id))
    for robot_id, secret in known.items():
        print(robot_id, secret)
    print("login-link", _said("login-link", "--user", DEMO_OPERATOR).split()[-1])
    # The broker starts after this, and must find its files.
    with contextlib.redirect_stdout(sys.stderr):
        write_credentials(timezone.now())
    return 0


def _said(*command: str) -> str:
    """What one management command wrote to its standard output; whatever else is printed meanwhile is for the log."""
    from django.core.management import call_command

    out = io.StringIO()
    with contextlib.redirect_stdout(sys.stderr):
        call_command(*command, stdout=out)
    return out.getvalue()


def _pairs(text: str) -> dict[str, str]:
    return {parts[0]: parts[1] for parts in (line.split() for line in text.splitlines()) if len(parts) == 2}


if __name__ == "__main__":
    sys.exit(main())

"""Prepares the cloud of one stack: tables, demo site, robots, credential files. Runs in a process of its own, with Django.

    python -m tools.stack.seed PLAN CREDENTIALS ROBOT:KIND ...

Adds the robots whose secret the file CREDENTIALS does not hold and prints every `ID SECRET`. One process, because a start of
Django costs more than everything that happens here.
"""

import io
import json
import os
import sys
from pathlib import Path

from tools.stack.secrets import read_credentials


def main() -> int:
    """Do it; the exit status is 0 when everything is in place."""
    plan, credentials, *robots = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("setup", stdout=sys.stderr)
    call_command("demo", plan=plan, stdout=sys.stderr)
    _print_robots(Path(plan), read_credentials(Path(credentials)), robots)
    link = io.StringIO()
    call_command("login-link", stdout=link)
    print("login-link", link.getvalue().split()[-1])
    return 0


def _print_robots(plan: Path, known: dict[str, str], robots: list[str]) -> None:
    from django.utils import timezone

    from croody.fleet.jobs import write_credentials
    from croody.fleet.models import Robot

    site = json.loads(plan.read_text(encoding="utf-8"))["slug"]
    there = set(Robot.objects.filter(deleted_at=None).values_list("robot_id", flat=True))
    for text in robots:
        robot_id, _, kind = text.partition(":")
        if robot_id not in known or robot_id not in there:
            known[robot_id] = _secret_of(robot_id, kind, site, new=robot_id not in there)
        print(robot_id, known[robot_id])
    # The broker starts after this, and must find its files.
    write_credentials(timezone.now())


def _secret_of(robot_id: str, kind: str, site: str, *, new: bool) -> str:
    """The secret of a new robot of the demo site, or a new one for a robot whose secret was lost with its file."""
    from django.core.management import call_command

    out = io.StringIO()
    if new:
        call_command("robot", "add", robot_id, "--kind", kind, "--site", site, "--shared", stdout=out)
    else:
        call_command("robot", "rotate", robot_id, stdout=out)
    printed_id, secret = out.getvalue().split()[-2:]
    if printed_id != robot_id:
        raise ValueError(f"croody robot add {robot_id} printed {printed_id!r}: expected ID SECRET")
    return secret


if __name__ == "__main__":
    sys.exit(main())

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
    site = json.loads(Path(plan).read_text(encoding="utf-8"))["slug"]
    known = read_credentials(Path(credentials))
    for text in robots:
        robot_id, _, kind = text.partition(":")
        if robot_id not in known:
            known[robot_id] = _secret_of(robot_id, kind, site)
    for robot_id, secret in known.items():
        print(robot_id, secret)
    from croody.fleet.jobs import write_credentials
    from django.utils import timezone

    write_credentials(timezone.now())
    return 0


def _secret_of(robot_id: str, kind: str, site: str) -> str:
    """The secret of a new robot of the demo site, or a new one for a robot whose secret was lost with its file."""
    from croody.fleet.models import Robot
    from django.core.management import call_command

    out = io.StringIO()
    if Robot.objects.filter(robot_id=robot_id, deleted_at=None).exists():
        call_command("robot", "rotate", robot_id, stdout=out)
    else:
        call_command("robot", "add", robot_id, "--kind", kind, "--site", site, "--shared", stdout=out)
    printed_id, secret = out.getvalue().split()[-2:]
    if printed_id != robot_id:
        raise ValueError(f"croody robot add {robot_id} printed {printed_id!r}: expected ID SECRET")
    return secret


if __name__ == "__main__":
    sys.exit(main())

"""`croody demo --plan FILE [ID[:KIND] ...]`: seeds the demo. Prints `ID SECRET` of each robot it makes, once."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from croody.operations import demo


class Command(BaseCommand):
    """Organisation, site with its plan, operator and robots; safe to run again."""

    # Django would import every page of the site to check it: not this command's business.
    requires_system_checks = ()
    help = "Make the demo's organisation, site, operator (without a password: see login-link) and robots."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The plan and the robots to have."""
        parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="JSON plan of the site, in metres")
        parser.add_argument("robots", nargs="*", metavar="ID[:KIND]", help="robots to have at the site, shared on the public monitor")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, and print what a person cannot see later."""
        path: Path = options["plan"]
        try:
            plan = json.loads(path.read_text(encoding="utf-8"))
            robots = [(robot_id, kind or "robot") for robot_id, _, kind in (text.partition(":") for text in options["robots"])]
            seeded = demo.seed(plan, robots)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}") from error
        for robot_id, secret in seeded.secrets:
            self.stdout.write(f"{robot_id} {secret}")

"""`croody demo --plan FILE [ID[:KIND] ...]`: seeds the demo. Prints `ID SECRET` of each robot it makes, once."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.operations import demo
from croody.web import command


class Command(command.Command):
    """Organisation, site with its plan, operator and robots; safe to run again."""

    about = gettext_lazy("la demostración: su organización, su sitio, su operador (sin contraseña: mira login-link) y sus robots.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The plan and the robots to have."""
        parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help=_("plano del sitio en JSON, en metros"))
        parser.add_argument("robots", nargs="*", metavar="ID[:KIND]", help=_("robots que debe tener el sitio, en el monitor público"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, and print what a person cannot see later."""
        path: Path = options["plan"]
        try:
            plan = json.loads(path.read_text(encoding="utf-8"))
            robots = [(robot_id, kind or "robot") for robot_id, _colon, kind in (text.partition(":") for text in options["robots"])]
            seeded = demo.seed(plan, robots)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}") from error
        for robot_id, secret in seeded.secrets:
            self.stdout.write(f"{robot_id} {secret}")

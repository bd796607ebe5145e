"""`croody demo --plan FILE [ID[:KIND] ...]` seeds the demo; `croody demo --day` plays a day of forty robots, to look at pages full."""

import json
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.operations import demo
from croody.operations.day import cast, crowd, people
from croody.operations.day.play import Day, was_played
from croody.shop import seed as shop_seed
from croody.web import command

#: How often a day that goes on says something, in seconds.
_LIVE_S: Final = 5.0
_CAUGHT_UP: Final = timedelta(seconds=10)


class Command(command.Command):
    """Organisation, site with its plan, operator and robots; safe to run again."""

    about = gettext_lazy(
        "la demostración: su organización, su sitio, su operador (sin contraseña: mira login-link) y sus robots; con --day, una jornada."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The plan and the robots to have, or a day."""
        parser.add_argument("--plan", type=Path, metavar="FILE", help=_("plano del sitio en JSON, en metros"))
        parser.add_argument("robots", nargs="*", metavar="ID[:KIND]", help=_("robots que debe tener el sitio, en el monitor público"))
        parser.add_argument(
            "--day", action="store_true", help=_("una jornada de 40 robots en dos sitios, que acaba ahora; se juega una vez")
        )
        parser.add_argument("--hours", type=float, default=24.0, help=_("horas de la jornada, de 1 a 24") + " (%(default)s)")
        parser.add_argument("--seed", type=int, default=7, help=_("el mismo número da la misma jornada") + " (%(default)s)")
        parser.add_argument("--live", action="store_true", help=_("con --day: los robots siguen hasta Ctrl-C"))
        parser.add_argument("--shop", action="store_true", help=_("una tienda con productos de ejemplo y un banco de prueba"))
        parser.add_argument("--fleet", type=int, default=0, metavar="N", help=_("además, tantos robots más, de 1 a 5000"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, and print what a person cannot see later."""
        if options["shop"]:
            self.stderr.write(_("Tienda: %(count)s productos nuevos.") % {"count": shop_seed.seed(timezone.now())})
        if options["plan"]:
            self._seed(options["plan"], options["robots"])
        elif not (options["day"] or options["fleet"] or options["shop"]):
            raise CommandError(_("falta decir qué: --plan FILE para el sitio de la demostración, o --day para una jornada"))
        if options["day"] or options["fleet"]:
            self._check(options)
            self._day(options)

    def _seed(self, path: Path, wanted: list[str]) -> None:
        try:
            plan = json.loads(path.read_text(encoding="utf-8"))
            robots = [(robot_id, kind or "robot") for robot_id, _colon, kind in (text.partition(":") for text in wanted)]
            seeded = demo.seed(plan, robots)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}") from error
        for robot_id, secret in seeded.secrets:
            self.stdout.write(f"{robot_id} {secret}")

    def _check(self, options: dict[str, Any]) -> None:
        if not settings.ENV.demo:
            raise CommandError(
                _("--day: inventa robots y lecturas, y esto no es la demostración: pon CROODY_DEMO=1 si de verdad lo quieres")
            )
        if not 1 <= options["hours"] <= 24:
            raise CommandError(_("--hours %(hours)g: escribe de 1 a 24") % {"hours": options["hours"]})
        if not 0 <= options["fleet"] <= crowd.MOST:
            raise CommandError(_("--fleet %(fleet)d: escribe de 1 a %(most)d") % {"fleet": options["fleet"], "most": crowd.MOST})

    def _day(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        made = people.make(now)
        if options["fleet"]:
            begun_s = time.monotonic()
            crowd.make(options["fleet"], now)
            said = {"count": options["fleet"], "seconds": time.monotonic() - begun_s}
            self.stdout.write(_("%(count)d robots más, con un cuarto de hora de lecturas (en %(seconds).0f s).") % said)
        if not options["day"]:
            return
        played_before = was_played()
        # Of a day that was played, what goes on begins now: its robots start again.
        day = Day(now, made.people, seed=options["seed"], hours=0.0 if played_before else options["hours"])
        if played_before:
            self.stdout.write(_("La jornada ya está: sus robots tienen lecturas, y se quedan como están."))
        else:
            played = day.play()
            # To play a day takes a while, and a robot that is not heard for a minute and a half is lost.
            while (behind := timezone.now() - day.at) > _CAUGHT_UP:
                day.tick(day.at + min(behind, _CAUGHT_UP))
            said = {"robots": made.robots, "sites": len(cast.SITES), "records": played.records, "alarms": played.alarms}
            self.stdout.write(
                _("Jornada de %(hours)g h que acaba ahora (hecha en %(seconds).0f s).")
                % {"hours": options["hours"], "seconds": played.took_s}
            )
            self.stdout.write(_("%(robots)d robots nuevos, %(sites)d sitios, %(records)d registros, %(alarms)d alertas.") % said)
        self._tell_people(made)
        if options["live"]:
            self._go_on(day)

    def _tell_people(self, made: people.Made) -> None:
        self.stdout.write(_("Cada enlace deja entrar una vez, durante una hora; otro: croody login-link --user NOMBRE"))
        base = settings.ENV.public_url.rstrip("/")
        links = people.login_links(made.people, timezone.now())
        for person in cast.PEOPLE:
            self.stdout.write(f"  {person.username}\t{person.role}\t{person.organisation}\t{base}{links[person.username]}")

    def _go_on(self, day: Day) -> None:
        self.stdout.write(_("Los robots siguen; Ctrl-C los calla."))
        self.stdout.flush()
        try:
            while True:
                time.sleep(_LIVE_S)
                day.tick(timezone.now())
        except KeyboardInterrupt:
            self.stdout.write("")

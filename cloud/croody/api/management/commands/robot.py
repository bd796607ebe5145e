"""`croody robot add|claim|list|show|set|maintenance|share|unshare|revoke|rotate`: the command line of the fleet's services."""

import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.accounts import organisations
from croody.accounts.models import Organisation
from croody.audit.actor import command_actor
from croody.enrolment import rotation
from croody.fleet import claim_command, enrolment_script, queries, services, sites, trust_anchor, vehicles
from croody.fleet.models import Robot, Site
from croody.telemetry.read.capabilities import can
from croody.web import command

#: Between two looks at what a robot answered, seconds.
_LOOK_S: Final = 0.5
#: After its end a rotation is told as not done within so long.
_PATIENCE: Final = timedelta(seconds=30)


class Command(command.Command):
    """Robots by hand."""

    about = gettext_lazy(
        "robots: add muestra «ID SECRETO», una vez; claim muestra un pase para la placa; claims; unclaim; list; show; set; maintenance; "
        "share; unshare; "
        "revoke deja a un robot fuera; rotate muestra un secreto nuevo."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Twelve verbs."""
        names = "{add,claim,claims,unclaim,list,show,set,maintenance,share,unshare,revoke,rotate}"
        verbs = parser.add_subparsers(dest="verb", required=True, metavar=names)
        add = verbs.add_parser("add", help=_("hace un robot, o trae de vuelta uno revocado, y muestra su id y su secreto, una vez"))
        add.add_argument("robot_id", metavar="ID")
        add.add_argument("--kind", default="robot", help=_("qué es, en una palabra (rover, arm, host)"))
        add.add_argument("--site", metavar="SLUG", help=_("dónde trabaja"))
        add.add_argument("--organisation", metavar="SLUG", help=_("de quién es; no hace falta cuando hay una sola organización"))
        add.add_argument(
            "--vda5050",
            metavar="MANUFACTURER/SERIAL",
            help=_("habla VDA 5050 por sí mismo: su cuenta del broker vale solo para los temas de ese vehículo"),
        )
        add.add_argument("--interface", metavar="NAME", default=vehicles.INTERFACE, help=_("primer nivel de esos temas") + " (%(default)s)")
        add.add_argument("--shared", action="store_true", help=_("lo muestra en el monitor público"))
        self._board_option(add)
        claim_command.add_arguments(verbs)
        verbs.add_parser("list", help=_("un robot por línea: id, clase, sitio, estado"))
        verbs.add_parser("show", help=_("un robot con todo lo que se sabe de él")).add_argument("robot_id", metavar="ID")
        change = verbs.add_parser("set", help=_("cambia lo que un robot es para su equipo; lo que no se dice se queda"))
        change.add_argument("robot_id", metavar="ID")
        change.add_argument("--label", metavar="TEXT", help=_("cómo lo llama su equipo"))
        change.add_argument("--tags", metavar="A,B", help=_("etiquetas, con comas; vacío, ninguna"))
        change.add_argument("--notes", metavar="TEXT", help=_("lo que debe saber quien trabaje con él"))
        change.add_argument("--site", metavar="SLUG", help=_("dónde trabaja; vacío, en ninguno"))
        maintenance = verbs.add_parser("maintenance", help=_("alguien trabaja en él: mientras tanto nada de él pide a nadie"))
        maintenance.add_argument("robot_id", metavar="ID")
        maintenance.add_argument("--hours", type=float, default=4.0, help=_("cuántas horas, 720 como mucho") + " (%(default)s)")
        maintenance.add_argument("--reason", metavar="TEXT", default="", help=_("por qué"))
        maintenance.add_argument("--end", action="store_true", help=_("terminó"))
        verbs.add_parser("share", help=_("lo muestra al público, con sus lecturas")).add_argument("robot_id", metavar="ID")
        verbs.add_parser("unshare", help=_("deja de mostrarlo al público")).add_argument("robot_id", metavar="ID")
        verbs.add_parser("revoke", help=_("deja a un robot fuera; sus lecturas se quedan")).add_argument("robot_id", metavar="ID")
        rotate = verbs.add_parser("rotate", help=_("muestra un secreto nuevo; el anterior deja de servir"))
        rotate.add_argument("robot_id", metavar="ID")
        self._board_option(rotate)
        rotate.add_argument(
            "--on-robot",
            action="store_true",
            help=_("no muestra nada: el robot hace su secreto nuevo, y el anterior vale hasta que entra con él"),
        )

    def _board_option(self, parser: ArgumentParser) -> None:
        parser.add_argument("--board", action="store_true", help=_("muestra solo lo que se ejecuta en la placa"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one verb."""
        now = timezone.now()
        if options.get("board") and options["verb"] != "claim" and not settings.ENV.robots_url:
            raise CommandError(_("CROODY_ROBOTS_URL: falta decir por dónde llegan los robots al broker: pon mqtts://HOST:PUERTO"))
        match options["verb"]:
            case "add":
                self._add(options)
            case "claim":
                self._claim(options, now)
            case "claims":
                claim_command.list_open(self.stdout, now)
            case "unclaim":
                claim_command.revoke(options["number"], self.stdout, now)
            case "list":
                robots = list(Robot.objects.filter(deleted_at=None).select_related("site").order_by("robot_id"))
                states = queries.states_of([robot.robot_id for robot in robots], now=now)
                for robot in robots:
                    site = robot.site.slug if robot.site else "-"
                    self.stdout.write(f"{robot.robot_id}\t{robot.kind}\t{site}\t{states[robot.robot_id]}")
            case "show":
                self._show(self._robot(options["robot_id"]), now)
            case "set":
                self._set(self._robot(options["robot_id"]), options, now)
            case "maintenance":
                self._maintain(self._robot(options["robot_id"]), options, now)
            case "share" | "unshare":
                robot = self._robot(options["robot_id"])
                services.share(robot, options["verb"] == "share", actor=command_actor(), now=now)
                self._show(robot, now)
            case "revoke":
                robot = self._robot(options["robot_id"])
                services.revoke(robot, now=now, actor=command_actor())
                self.stdout.write(_("%(id)s revocado") % {"id": robot.robot_id})
            case "rotate" if options["on_robot"]:
                self._rotate_on_robot(self._robot(options["robot_id"]), now)
            case "rotate":
                robot = self._robot(options["robot_id"])
                self._tell(robot.robot_id, services.rotate_secret(robot, now=now, actor=command_actor()), board_only=options["board"])

    def _show(self, robot: Robot, now: datetime) -> None:
        site = robot.site.slug if robot.site else "-"
        until = robot.maintenance_until
        told = {
            "robot_id": robot.pk,
            "label": robot.label or "-",
            "kind": robot.kind,
            "organisation": robot.organisation.slug,
            "site": site,
            "state": queries.states_of([robot.pk], now=now)[robot.pk],
            "shared": "yes" if robot.shared else "no",
            "tags": ",".join(robot.tags or []) or "-",
            "maintenance": f"{until.isoformat(timespec='minutes')} {robot.maintenance_reason}" if until and until > now else "-",
            "vda5050": vehicles.told(robot),
            "created_at": robot.created_at.isoformat(timespec="seconds"),
            "notes": robot.notes or "-",
        }
        for name, value in told.items():
            self.stdout.write(f"{name}: {value}")

    def _set(self, robot: Robot, options: dict[str, Any], now: datetime) -> None:
        said: dict[str, Any] = {"actor": command_actor(), "now": now}
        try:
            with transaction.atomic():
                if options["site"] is not None:
                    services.move_to_site(robot, self._site(options["site"] or None, robot.organisation.slug), **said)
                if options["label"] is not None:
                    services.set_label(robot, options["label"], **said)
                if options["tags"] is not None:
                    services.set_tags(robot, options["tags"].split(","), **said)
                if options["notes"] is not None:
                    services.set_notes(robot, options["notes"], **said)
        except services.BadRobot as error:
            raise CommandError(str(error)) from error
        self._show(robot, now)

    def _maintain(self, robot: Robot, options: dict[str, Any], now: datetime) -> None:
        said: dict[str, Any] = {"actor": command_actor(), "now": now}
        try:
            if options["end"]:
                services.end_maintenance(robot, **said)
            else:
                until = now + timedelta(hours=max(0.0, min(options["hours"], 10_000.0)))
                services.start_maintenance(robot, until=until, reason=options["reason"], **said)
        except services.BadRobot as error:
            raise CommandError(str(error)) from error
        self._show(robot, now)

    def _add(self, options: dict[str, Any]) -> None:
        site = self._site(options["site"], options["organisation"])
        organisation = site.organisation if site else self._organisation(options["organisation"])
        try:
            robot, secret = services.add_robot(
                options["robot_id"],
                organisation=organisation,
                site=site,
                kind=options["kind"],
                shared=options["shared"],
                prepare=(lambda robot: vehicles.bind(robot, options["vda5050"], options["interface"])) if options["vda5050"] else None,
                actor=command_actor(),
            )
        except services.BadRobot as error:
            raise CommandError(str(error)) from error
        self._tell(robot.robot_id, secret, board_only=options["board"])

    def _claim(self, options: dict[str, Any], now: datetime) -> None:
        robot_id, group = options["robot_id"], options["group"]
        if (robot_id is None) == (group is None):
            raise CommandError(_("di de qué robot es el pase, o de qué grupo con --group: una de las dos cosas"))
        claim_command.server()
        site = self._site(options["site"], options["organisation"])
        organisation = site.organisation if site else None
        try:
            with transaction.atomic():
                if group is not None:
                    made = claim_command.group_claim(organisation or self._organisation(options["organisation"]), site, options, now)
                else:
                    if options["add"]:
                        said: dict[str, Any] = {"site": site, "kind": options["kind"], "actor": command_actor(), "now": now}
                        services.register_robot(robot_id, organisation=organisation or self._organisation(options["organisation"]), **said)
                    made = claim_command.robot_claim(self._robot(robot_id), options, now)
        except services.BadRobot as error:
            raise CommandError(str(error)) from error
        claim_command.show_new(made, self.stdout, self.stderr, options)

    def _rotate_on_robot(self, robot: Robot, now: datetime) -> None:
        """Ask, and wait for what comes of it: ten minutes at most."""
        try:
            row = rotation.ask(robot, can=can(robot.pk, rotation.ROTATE), actor=command_actor(), now=now)
        except services.BadRobot as error:
            raise CommandError(str(error)) from error
        self.stderr.write(_("%(id)s: pedido; espera a que entre con el nuevo") % {"id": robot.pk}, style_func=str)
        # The worker ends it in time; without one nothing does.
        while row.answered_at is None and timezone.now() < row.expires_at + _PATIENCE:
            time.sleep(_LOOK_S)
            row.refresh_from_db()
        if row.answer_state != "done":
            said = {"id": robot.pk, "why": row.answer_detail or row.answer_state}
            raise CommandError(_("%(id)s: no cambió su secreto (%(why)s); sigue con el de antes: mira `croody alarms list`") % said)
        self.stdout.write(_("%(id)s: cambió su secreto") % {"id": robot.pk})

    def _tell(self, robot_id: str, secret: str, *, board_only: bool) -> None:
        """`ID SECRET` for programs, and for people, beside it, what the board needs, where robots come in from outside."""
        if not board_only:
            self.stdout.write(f"{robot_id} {secret}")
        url = settings.ENV.robots_url
        if not url:
            return
        found = trust_anchor.of_site()
        lines = enrolment_script.script(robot_id, secret, url, found.authority, found.problem)
        if board_only:
            self.stdout.write(lines, ending="")
        else:
            self.stdout.flush()
            self.stderr.write(f"\n{lines}", style_func=str, ending="")

    def _robot(self, robot_id: str) -> Robot:
        robot = Robot.objects.filter(robot_id=robot_id).first()
        said = {"id": robot_id}
        if robot is None:
            raise CommandError(_("robot_id %(id)s: no hay tal robot: mira `croody robot list`") % said)
        if robot.deleted_at is not None:
            raise CommandError(_("robot_id %(id)s: fue revocado: `croody robot add %(id)s` lo trae de vuelta con un secreto nuevo") % said)
        return robot

    def _site(self, slug: str | None, organisation: str | None) -> Site | None:
        if slug is None:
            return None
        try:
            return sites.named(slug, organisation)
        except sites.NoSuchSite as error:
            raise CommandError(str(error)) from error

    def _organisation(self, slug: str | None) -> Organisation:
        try:
            return organisations.organisation(slug)
        except organisations.BadOrganisation as error:
            raise CommandError(str(error)) from error

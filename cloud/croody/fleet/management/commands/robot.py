"""`croody robot add|list|revoke|rotate`: the command line of `fleet.services`."""

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import override

from croody.accounts import organisations
from croody.accounts.models import Organisation
from croody.catalogue import terminal_language
from croody.fleet import enrolment_script, queries, services, trust_anchor
from croody.fleet.models import Robot, Site

#: The broker's own listener with TLS, beside the one without that the cloud uses.
TLS_PORT = 8883


class Command(BaseCommand):
    """Robots by hand."""

    # Django would import every page of the site to check it: not this command's business.
    requires_system_checks = ()
    help = "add prints 'ID SECRET', once; list; revoke shuts a robot out; rotate prints a new secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Four verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="make a robot and print its id and secret, once")
        add.add_argument("robot_id", metavar="ID")
        add.add_argument("--kind", default="robot", help="what it is, in a word (rover, arm, host)")
        add.add_argument("--site", metavar="SLUG", help="where it works")
        add.add_argument("--organisation", metavar="SLUG", help="whose it is; not needed when there is one organisation")
        add.add_argument("--shared", action="store_true", help="show it on the public monitor")
        self._board_option(add)
        verbs.add_parser("list", help="one robot a line: id, kind, site, state")
        verbs.add_parser("revoke", help="shut a robot out; its readings stay").add_argument("robot_id", metavar="ID")
        rotate = verbs.add_parser("rotate", help="print a new secret; the old one stops working")
        rotate.add_argument("robot_id", metavar="ID")
        self._board_option(rotate)

    def _board_option(self, parser: ArgumentParser) -> None:
        parser.add_argument("--board", action="store_true", help="print nothing but what is to be run on the board")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one verb."""
        now = timezone.now()
        if options.get("board") and not settings.ENV.robots_url:
            raise CommandError("CROODY_ROBOTS_URL: nobody said where robots reach the broker: set it to mqtts://HOST:PORT")
        match options["verb"]:
            case "add":
                self._add(options)
            case "list":
                robots = list(Robot.objects.filter(deleted_at=None).select_related("site").order_by("robot_id"))
                states = queries.states_of([robot.robot_id for robot in robots], now=now)
                for robot in robots:
                    site = robot.site.slug if robot.site else "-"
                    self.stdout.write(f"{robot.robot_id}\t{robot.kind}\t{site}\t{states[robot.robot_id]}")
            case "revoke":
                services.revoke(self._robot(options["robot_id"]), now=now)
                self.stdout.write(f"{options['robot_id']} revoked")
            case "rotate":
                robot = self._robot(options["robot_id"])
                self._tell(robot.robot_id, services.rotate_secret(robot), board_only=options["board"])

    def _add(self, options: dict[str, Any]) -> None:
        site = self._site(options["site"], options["organisation"])
        organisation = site.organisation if site else self._organisation(options["organisation"])
        try:
            robot, secret = services.add_robot(
                options["robot_id"], organisation=organisation, site=site, kind=options["kind"], shared=options["shared"]
            )
        except services.BadRobot as error:
            raise CommandError(str(error)) from error
        self._tell(robot.robot_id, secret, board_only=options["board"])

    def _tell(self, robot_id: str, secret: str, *, board_only: bool) -> None:
        """`ID SECRET` for programs, and for people, beside it, what the board needs, where robots come in from outside."""
        if not board_only:
            self.stdout.write(f"{robot_id} {secret}")
        url = settings.ENV.robots_url
        if not url:
            return
        with override(terminal_language()):
            found = self._trust(url)
            lines = enrolment_script.script(robot_id, secret, url, found.authority, found.problem)
        if board_only:
            self.stdout.write(lines, ending="")
        else:
            self.stdout.flush()
            self.stderr.write(f"\n{lines}", style_func=str, ending="")

    def _trust(self, url: str) -> trust_anchor.TrustAnchor:
        # Gateway and broker show the same certificate.
        if urlsplit(url).scheme not in ("mqtts", "wss"):
            return trust_anchor.TrustAnchor()
        return trust_anchor.find(urlsplit(settings.ENV.broker_url).hostname or "", TLS_PORT, urlsplit(url).hostname or "")

    def _robot(self, robot_id: str) -> Robot:
        robot = Robot.objects.filter(robot_id=robot_id, deleted_at=None).first()
        if robot is None:
            raise CommandError(f"robot_id {robot_id}: no such robot: see `croody robot list`")
        return robot

    def _site(self, slug: str | None, organisation: str | None) -> Site | None:
        if slug is None:
            return None
        sites = Site.objects.select_related("organisation").filter(slug=slug)
        if organisation:
            sites = sites.filter(organisation__slug=organisation)
        found = list(sites[:2])
        if len(found) == 1:
            return found[0]
        known = ", ".join(Site.objects.values_list("slug", flat=True)) or "none yet, `croody demo` makes one"
        remedy = "name the organisation with --organisation" if found else f"use one of: {known}"
        raise CommandError(f"site {slug}: {'more than one' if found else 'no'} site has this name: {remedy}")

    def _organisation(self, slug: str | None) -> Organisation:
        try:
            return organisations.organisation(slug)
        except organisations.BadOrganisation as error:
            raise CommandError(str(error)) from error

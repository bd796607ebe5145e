"""`croody robot claim|claims|unclaim`: the command line of `fleet.claims`. One line for the board, and for people a QR code beside it."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, OutputWrapper
from django.utils.translation import gettext as _

from croody.accounts.models import Organisation
from croody.audit.actor import command_actor
from croody.fleet import claim_lines, claims, enrolment_script, trust_anchor
from croody.fleet.models import Claim, Robot, Site

#: Rows of a list; the newest first.
_MOST = 200


def add_arguments(verbs: Any) -> None:
    """Three verbs."""
    claim: ArgumentParser = verbs.add_parser(
        "claim", help=_("muestra un pase de un solo uso: con él la placa se da de alta y hace su propio secreto")
    )
    claim.add_argument("robot_id", metavar="ID", nargs="?", help=_("de qué robot; sin él, --group"))
    claim.add_argument("--add", action="store_true", help=_("hace antes el robot"))
    claim.add_argument("--group", metavar="NAME", help=_("para placas de una línea: cada una será NAME-SERIE"))
    claim.add_argument("--serials", metavar="FORM", help=_("qué series entran: # un dígito, @ una letra, * al final lo que siga"))
    claim.add_argument("--most", type=int, default=50, help=_("cuántas placas, 500 como mucho") + " (%(default)s)")
    claim.add_argument("--minutes", type=int, help=_("cuánto vale, 60 como mucho (15; de un grupo, 60)"))
    claim.add_argument("--kind", default="robot", help=_("qué es, en una palabra (rover, arm, host)"))
    claim.add_argument("--site", metavar="SLUG", help=_("dónde trabaja"))
    claim.add_argument("--organisation", metavar="SLUG", help=_("de quién es; no hace falta cuando hay una sola organización"))
    claim.add_argument("--board", action="store_true", help=_("muestra solo lo que se ejecuta en una placa con Docker"))
    claim.add_argument("--line", action="store_true", help=_("muestra solo el pase, sin código QR"))
    verbs.add_parser("claims", help=_("un pase abierto por línea: número, de quién, usos, hasta cuándo"))
    verbs.add_parser("unclaim", help=_("revoca un pase; quien entró por él se queda")).add_argument("number", type=int)


def show_new(made: claims.Made, out: OutputWrapper, beside: OutputWrapper, options: dict[str, Any]) -> None:
    """The line on `out`, for programs; what people want to know `beside` it."""
    line = claim_lines.line(made, server())
    if options["board"]:
        out.write(enrolment_script.claim_script(str(made.claim), line), ending="")
        return
    out.write(line)
    if options["line"]:
        return
    out.flush()
    good = {"until": made.claim.expires_at.isoformat(timespec="minutes")[:16].replace("T", " "), "most": made.claim.most}
    many = _("En cada placa, antes de %(until)s (UTC); entran %(most)s como mucho:")
    said = [(many if made.claim.group else _("En la placa, antes de %(until)s (UTC), una sola vez:")) % good]
    said += ["", f"  croody-edge enrol '{line}'", "", claim_lines.for_terminal(line)]
    beside.write("\n" + "\n".join(said), style_func=str, ending="")


def life(options: dict[str, Any], otherwise: timedelta) -> timedelta:
    """How long it was asked to be good for."""
    return otherwise if options["minutes"] is None else timedelta(minutes=max(0, min(options["minutes"], 10_000)))


def robot_claim(robot: Robot, options: dict[str, Any], now: datetime) -> claims.Made:
    """Of one robot.

    Raises:
        BadRobot: a value that breaks its rule.
    """
    return claims.claim_robot(robot, authority=authority(), life=life(options, claims.LIFE), actor=command_actor(), now=now)


def group_claim(organisation: Organisation, site: Site | None, options: dict[str, Any], now: datetime) -> claims.Made:
    """Of a group.

    Raises:
        BadRobot: a value that breaks its rule.
    """
    if not options["serials"]:
        raise CommandError(_("--serials: falta la forma de las series que entran, como RV-####"))
    return claims.claim_group(
        organisation,
        options["group"],
        serials=options["serials"],
        most=options["most"],
        kind=options["kind"],
        site=site,
        authority=authority(),
        life=life(options, claims.MOST_LIFE),
        actor=command_actor(),
        now=now,
    )


def list_open(out: OutputWrapper, now: datetime) -> None:
    """Those that still let somebody in."""
    found = list(Claim.objects.filter(revoked_at=None, expires_at__gt=now).order_by("-pk")[:_MOST])
    used = claims.counted(found)
    for one in found:
        state = claims.state_of(one, used.get(one.pk, 0), now)
        until = one.expires_at.isoformat(timespec="seconds")
        out.write(f"{one.pk}\t{one}\t{used.get(one.pk, 0)}/{one.most}\t{until}\t{state}")


def revoke(number: int, out: OutputWrapper, now: datetime) -> None:
    """End one.

    Raises:
        CommandError: there is none of this number.
    """
    claim = Claim.objects.filter(pk=number).first() if 0 < number < 2**63 else None
    if claim is None:
        raise CommandError(_("pase %(number)s: no hay ninguno con ese número: mira `croody robot claims`") % {"number": number})
    ended = claims.revoke_claim(claim, actor=command_actor(), now=now)
    out.write((_("pase %(number)s revocado") if ended else _("pase %(number)s: ya había terminado")) % {"number": number})


def server() -> str:
    """The site's own address.

    Raises:
        CommandError: a board's hashes would travel in the open.
    """
    found = settings.ENV.public_url
    if not claim_lines.is_safe(found):
        raise CommandError(_("CROODY_PUBLIC_URL=%(url)s: las placas se dan de alta por TLS: pon https://NOMBRE") % {"url": found})
    return found


def authority() -> str:
    """What boards have to trust to come by that address."""
    return trust_anchor.of_site().authority if server().startswith("https:") else ""

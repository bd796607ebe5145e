"""`croody alarms`: the command line of `alarms.acts`. What is done has the name of the machine's account beside it."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.accounts.caller import Caller
from croody.alarms import acts, queries, services, undo
from croody.alarms.act_transaction import BadAct, Done, Late
from croody.alarms.models import Alarm
from croody.audit.actor import Actor, command_actor
from croody.web import command
from croody.web.refusals import Denied
from croody_contract.printable import printable

#: Whoever runs commands on the server may do everything.
_ROOT: Final = Caller("service", superuser=True)
_SHOWN: Final = (
    "robot_id",
    "kind",
    "key",
    "severity",
    "opened_at",
    "last_at",
    "count",
    "acknowledged_at",
    "snoozed_until",
    "resolved_at",
    "false",
    "detail",
)
#: Lines of a history that are shown.
_LINES: Final = 50


class Command(command.Command):
    """Alarms by hand."""

    about = gettext_lazy("alertas: list, show, y lo que se hace con ellas: ack, assign, snooze, resolve, false, comment, reopen.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two verbs that look, and seven that act."""
        names = "{list,show,ack,assign,snooze,resolve,false,comment,reopen}"
        verbs = parser.add_subparsers(dest="verb", required=True, metavar=names)
        listing = verbs.add_parser("list", help=_("una alerta por línea: número, gravedad, clase, robot, desde cuándo, de quién"))
        listing.add_argument("--all", action="store_true", help=_("también las que terminaron"))
        listing.add_argument("--robot", metavar="ID", default="", help=_("solo de este robot"))
        listing.add_argument("--limit", type=int, default=50, help=_("cuántas como mucho, de 1 a 1000") + " (%(default)s)")
        verbs.add_parser("show", help=_("una alerta con su historia")).add_argument("number", type=int)
        verbs.add_parser("ack", help=_("di que alguien la ha visto")).add_argument("number", type=int)
        assign = verbs.add_parser("assign", help=_("dásela a una persona; sin nombre, a nadie"))
        assign.add_argument("number", type=int)
        assign.add_argument("person", metavar="NAME", nargs="?")
        snooze = verbs.add_parser("snooze", help=_("apártala un rato; si empeora vuelve antes"))
        snooze.add_argument("number", type=int)
        snooze.add_argument("--hours", type=float, default=1.0, help=_("cuántas horas, 168 como mucho") + " (%(default)s)")
        verbs.add_parser("resolve", help=_("ciérrala: alguien se ocupó de ella")).add_argument("number", type=int)
        false = verbs.add_parser("false", help=_("di que no era una alerta: las que son como ella no se muestran por un tiempo"))
        false.add_argument("number", type=int)
        false.add_argument("--scope", choices=acts.Scope.values, default=acts.Scope.CAUSE.value, help=_("cuáles son como ella"))
        false.add_argument("--days", type=float, default=7.0, help=_("cuántos días, 90 como mucho") + " (%(default)s)")
        comment = verbs.add_parser("comment", help=_("escribe una línea en su historia"))
        comment.add_argument("number", type=int)
        comment.add_argument("text", metavar="TEXT")
        verbs.add_parser("reopen", help=_("abre de nuevo una que está cerrada")).add_argument("number", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one verb."""
        verb = options["verb"]
        if verb == "list":
            self._list(options)
        elif verb == "show":
            self._show(self._alarm(options["number"]))
        else:
            self._row(self._act(_act(verb, options)))

    def _act(self, act: Callable[[Actor, datetime], Done]) -> Alarm:
        try:
            return act(command_actor(), timezone.now()).alarm
        except Denied as error:
            raise CommandError(error.detail) from error
        except (BadAct, Late, services.EndsByItself) as error:
            raise CommandError(printable(str(error))) from error

    def _list(self, options: dict[str, Any]) -> None:
        limit: int = options["limit"]
        if not 1 <= limit <= 1000:
            raise CommandError(_("--limit %(limit)d: escribe de 1 a 1000") % {"limit": limit})
        found = queries.in_one_list(_ROOT) if not options["robot"] else queries.visible_to(_ROOT)
        rows = queries.listed(found if options["all"] else found.filter(resolved_at=None), limit, None, options["robot"])
        for alarm in rows:
            self._row(alarm)

    def _row(self, alarm: Alarm) -> None:
        since = alarm.opened_at.isoformat(timespec="seconds")
        state = "over" if alarm.resolved_at else "acknowledged" if alarm.acknowledged_at else "open"
        cells = (alarm.pk, alarm.severity, alarm.kind, alarm.robot_id or "-", since, f"x{alarm.count}", state, _name(alarm))
        self.stdout.write("\t".join(printable(str(cell)) for cell in cells))

    def _show(self, alarm: Alarm) -> None:
        self.stdout.write(f"id: {alarm.pk}")
        for name in _SHOWN:
            self.stdout.write(f"{name}: {printable(str(getattr(alarm, name)))}")
        self.stdout.write(f"assignee: {_name(alarm)}")
        for act in alarm.acts.order_by("-pk")[:_LINES]:
            cells = (act.at.isoformat(timespec="seconds"), act.by_name, act.verb, act.said.get("text", ""))
            self.stdout.write("\t".join(printable(str(cell)) for cell in cells))

    def _alarm(self, number: int) -> Alarm:
        found = Alarm.objects.filter(pk=number).first() if 0 < number < 2**63 else None
        if found is None:
            raise CommandError(_("no hay alerta %(number)d: mira `croody alarms list`") % {"number": number})
        return found


def _act(verb: str, options: dict[str, Any]) -> Callable[[Actor, datetime], Done]:
    """What is to be done, by whom and when."""
    number: int = options["number"]

    def act(by: Actor, now: datetime) -> Done:
        match verb:
            case "ack":
                return acts.acknowledge(_ROOT, number, by=by, now=now)
            case "assign":
                return acts.assign(_ROOT, number, _person(options["person"]), by=by, now=now)
            case "snooze":
                return acts.snooze(_ROOT, number, _later(now, "--hours", options["hours"], 1), by=by, now=now)
            case "false":
                scope, until = acts.Scope(options["scope"]), _later(now, "--days", options["days"], 24)
                return acts.mark_false(_ROOT, number, scope, until, by=by, now=now)
            case "comment":
                return acts.comment(_ROOT, number, options["text"], by=by, now=now)
            case "reopen":
                return undo.reopen(_ROOT, number, by=by, now=now)
        return acts.resolve(_ROOT, number, by=by, now=now)

    return act


def _later(now: datetime, option: str, value: float, hours: float) -> datetime:
    if not 0 < value <= 10_000:
        raise CommandError(_("%(option)s %(value)s: escribe un número mayor que 0") % {"option": option, "value": value})
    return now + timedelta(hours=hours * value)


def _person(name: str | None) -> int | None:
    if name is None:
        return None
    found = User.objects.filter(username=name, is_active=True).values_list("pk", flat=True).first()
    if found is None:
        raise CommandError(_("persona %(name)s: nadie activo se llama así: mira `croody member list`") % {"name": name})
    return found


def _name(alarm: Alarm) -> str:
    return alarm.assignee.get_username() if alarm.assignee is not None else "-"

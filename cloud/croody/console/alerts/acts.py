"""What the inbox's forms do: one alarm or several at once, each by the one function that the API calls too."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from croody.accounts.caller import Caller, actor_of, of_session
from croody.alarms import acts as services
from croody.alarms import undo
from croody.alarms.act_transaction import BadAct, Done, Late
from croody.alarms.inbox import PAGE, Asked
from croody.alarms.models import Act, Suppression
from croody.alarms.services import EndsByItself
from croody.alarms.suppressions import LONGEST
from croody.audit.actor import Actor
from croody.console import page_access
from croody.console.alerts import change, facts, words
from croody.web.address import whole
from croody.web.refusals import Denied
from croody.web.turns import give_way

#: Alarms of one go; the next ones are done in another.
MOST_AT_ONCE: Final = 500
#: So long one request acts, in seconds; what is left is said.
RUN_S: Final = 10.0
#: What a week's snooze stands for: until it gets worse.
_WEEK: Final = timedelta(days=7)
#: After these the alarm is dealt with, and the next one is shown.
_GO_ON: Final = frozenset({Act.Verb.ACKNOWLEDGE, Act.Verb.CLOSE, Act.Verb.FALSE, Act.Verb.SNOOZE})


class Chosen(NamedTuple):
    """An alarm, and the revision that was looked at."""

    number: int
    seen: int | None


@dataclass(frozen=True, slots=True)
class Who:
    """Who does it, when, and what their form says beside it."""

    caller: Caller
    by: Actor
    now: datetime
    form: QueryDict


@dataclass(slots=True)
class Outcome:
    """What came of it, for each of the alarms."""

    done: list[Done] = field(default_factory=list)
    late: Late | None = None
    refused: list[str] = field(default_factory=list)
    denied: list[Denied] = field(default_factory=list)


def _acknowledge(who: Who, alarm: Chosen) -> Done:
    return services.acknowledge(who.caller, alarm.number, by=who.by, now=who.now, seen=alarm.seen)


def _assign(who: Who, alarm: Chosen) -> Done:
    person = who.form.get("person", "")
    to = who.caller.user_id if person == "me" else whole(person)
    return services.assign(who.caller, alarm.number, to, by=who.by, now=who.now, seen=alarm.seen)


def _snooze(who: Who, alarm: Chosen) -> Done:
    minutes = whole(who.form.get("minutes", ""))
    until = who.now + (timedelta(minutes=min(minutes, _WEEK // timedelta(minutes=1))) if minutes else _WEEK)
    return services.snooze(who.caller, alarm.number, until, by=who.by, now=who.now, seen=alarm.seen)


def _close(who: Who, alarm: Chosen) -> Done:
    return services.resolve(who.caller, alarm.number, by=who.by, now=who.now, seen=alarm.seen)


def _false(who: Who, alarm: Chosen) -> Done:
    scope, days = who.form.get("scope", ""), whole(who.form.get("days", "")) or 7
    if scope not in Suppression.Scope.values:
        raise BadAct(_("alcance: elige a qué se aplica"))
    until = who.now + min(timedelta(days=min(days, LONGEST.days)), LONGEST)
    return services.mark_false(who.caller, alarm.number, Suppression.Scope(scope), until, by=who.by, now=who.now, seen=alarm.seen)


def _comment(who: Who, alarm: Chosen) -> Done:
    return services.comment(who.caller, alarm.number, who.form.get("text", ""), by=who.by, now=who.now)


def _reopen(who: Who, alarm: Chosen) -> Done:
    return undo.reopen(who.caller, alarm.number, by=who.by, now=who.now, seen=alarm.seen)


ACTS: Final[dict[str, Callable[[Who, Chosen], Done]]] = {
    Act.Verb.ACKNOWLEDGE: _acknowledge,
    Act.Verb.ASSIGN: _assign,
    Act.Verb.SNOOZE: _snooze,
    Act.Verb.CLOSE: _close,
    Act.Verb.FALSE: _false,
    Act.Verb.COMMENT: _comment,
    Act.Verb.REOPEN: _reopen,
}


@page_access.act(back="console_alerts")
def act(request: HttpRequest, verb: str) -> HttpResponseBase:
    """Do this to each alarm that the form names (`alarm=number.revision`), and show what stands next in the list."""
    do = ACTS.get(verb)
    if do is None:
        raise Http404
    caller, now = of_session(request), timezone.now()
    who = Who(caller, actor_of(request, caller), now, request.POST)
    chosen = _chosen(request.POST)
    asked = Asked.of(QueryDict(request.POST.get("query", "")[:500].lstrip("?")).dict())
    here = whole(request.POST.get("here", ""))
    following = facts.next_after(caller, asked, chosen[0].number, now) if here and verb in _GO_ON and len(chosen) == 1 else here
    current = change.is_current(request, caller, now)
    outcome = Outcome()
    for alarm in chosen:
        attempt(do, who, alarm, outcome)
    if outcome.denied and len(chosen) == 1:
        raise outcome.denied[0]
    tell(request, verb, outcome, now, chosen=bool(chosen))
    touched = [alarm.number for alarm in chosen]
    return change.answer(request, asked, following if outcome.done else here, touched, current=current)


@page_access.act(back="console_alerts")
def undo_acts(request: HttpRequest) -> HttpResponseBase:
    """Undo the acts that the form names (`act=number`), the last one first; the alarm of the first is shown.

    What there was no time for is said, with the way to go on.
    """
    caller, now = of_session(request), timezone.now()
    by, language = actor_of(request, caller), get_language() or "es"
    named = [number for text in request.POST.getlist("act")[:PAGE] if (number := whole(text))]
    numbers = undo.together_with(named[0], caller.user_id, MOST_AT_ONCE) if len(named) == 1 and request.POST.get("together") else named
    numbers = sorted(set(numbers or named), reverse=True)
    asked = Asked.of(QueryDict(request.POST.get("query", "")[:500].lstrip("?")).dict())
    current = change.is_current(request, caller, now)
    touched: list[int] = []
    left, begun = 0, time.monotonic()
    for place, number in enumerate(numbers):
        if touched and time.monotonic() - begun > RUN_S:
            left = len(numbers) - place
            break
        at = time.monotonic()
        try:
            touched.append(undo.undo(caller, number, by=by, now=now).pk)
        except Late as late:
            messages.warning(request, words.late(late.first, now, language))
        except BadAct as error:
            messages.warning(request, str(error))
        except Denied:
            if len(numbers) == 1:
                raise
        if len(numbers) > 1:
            give_way("default", time.monotonic() - at)
    if count := len(touched):
        said = ngettext("Deshecho en %(count)s alerta.", "Deshecho en %(count)s alertas.", count) % {"count": count}
        # The last one that is left stands for all of them.
        messages.info(request, said, extra_tags=str(numbers[-1]) if left else "")
    if left:
        messages.warning(request, words.left(left, language))
    return change.answer(request, asked, touched[-1] if touched else None, touched, current=current)


@page_access.act(back="console_exceptions")
def end_exception(request: HttpRequest, number: int) -> HttpResponseBase:
    """Let alarms like it be seen again."""
    caller = of_session(request)
    services.end_suppression(caller, number, by=actor_of(request, caller), now=timezone.now())
    return page_access.done(request, reverse("console_exceptions"), _("Excepción terminada: alertas así se ven de nuevo."))


def attempt(do: Callable[[Who, Chosen], Done], who: Who, alarm: Chosen, outcome: Outcome) -> None:
    """Do it to one alarm, and note what came of it."""
    try:
        outcome.done.append(do(who, alarm))
    except Late as late:
        outcome.late = late
    except EndsByItself:
        outcome.refused.append(_("Esta alerta termina sola cuando pasa su causa; cerrada ahora, volvería enseguida."))
    except BadAct as error:
        outcome.refused.append(str(error))
    except Denied as refused:
        outcome.denied.append(refused)


def tell(request: HttpRequest, verb: str, outcome: Outcome, now: datetime, *, chosen: bool) -> None:
    """Say what came of it, with the way back. Of what was done in one go the first act stands for all."""
    language = get_language() or "es"
    if outcome.done:
        undoable = str(outcome.done[0].act.pk) if verb != Act.Verb.COMMENT else ""
        messages.info(request, words.done(verb, len(outcome.done), language), extra_tags=undoable)
    if outcome.late is not None:
        messages.warning(request, words.late(outcome.late.first, now, language))
    for text in dict.fromkeys(outcome.refused):
        messages.warning(request, text)
    if not chosen:
        messages.warning(request, _("Elige al menos una alerta."))


def _chosen(form: QueryDict) -> list[Chosen]:
    found: dict[int, Chosen] = {}
    for text in form.getlist("alarm")[:PAGE]:
        number, _dot, seen = text.partition(".")
        if pk := whole(number):
            found.setdefault(pk, Chosen(pk, whole(seen)))
    return list(found.values())

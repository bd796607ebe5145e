"""How long each thing that grows is kept, once it is over: one table. What telemetry keeps is in its own `jobs/retention.py`.

Only what is over goes: an open alarm, an unanswered command or a session that is in use has no age.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Model, Q

from croody.accounts.models import Counted, Invitation, OneTimeLogin, Registering, SignIn, Token
from croody.alarms.models import Alarm, Handover, Suppression
from croody.audit.models import Entry
from croody.commands.models import Outgoing
from croody.detection.incidents import signs
from croody.detection.models import DeviceWindow, Incident, IncidentException, SecurityEvent, SignTally, Usual, Verdict
from croody.fleet.models import Claim
from croody.notices.models import Notice, Rule
from croody.notices.services import KEPT
from croody.shop import waits
from croody.shop.carts import LIFE as CART_LIFE
from croody.shop.models import Cart, StockWait
from croody.site import history as history_of_parts
from croody.site import services as visitors
from croody.site.models import BetaRequest, Message, PartDay
from croody.web.turns import delete_in_turns

#: Tries to log in, and logins by a link, are kept for who looks into an incident.
TRIES: Final = timedelta(days=30)
LINKS: Final = timedelta(days=7)
#: What went through a channel.
NOTICES: Final = timedelta(days=30)
#: Who signed up and never confirmed the address, nor ever came in.
UNCONFIRMED: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Life:
    """Rows of `model` for which `over(now)` holds go."""

    model: type[Model]
    over: Callable[[datetime], Q]


def history() -> timedelta:
    """How long alarms, commands and verdicts are kept once they are over."""
    return timedelta(days=settings.ENV.history_days)


def audit() -> timedelta:
    """How long it is written down who did what."""
    return timedelta(days=settings.ENV.audit_days)


LIVES: Final = (
    Life(Alarm, lambda now: Q(resolved_at__lt=now - history())),
    Life(Suppression, lambda now: Q(expires_at__lt=now - history())),
    Life(Notice, lambda now: Q(created_at__lt=now - NOTICES) & ~Q(status="pending")),
    Life(Rule, lambda now: Q(deleted_at__lt=now - KEPT)),
    Life(Handover, lambda now: Q(at__lt=now - history())),
    Life(Outgoing, lambda now: Q(expires_at__lt=now - history())),
    Life(Verdict, lambda now: Q(judged_at__lt=now - history())),
    Life(DeviceWindow, lambda now: Q(judged_at__lt=now - history())),
    Life(SignTally, lambda now: Q(hour__lt=now - history())),
    Life(SecurityEvent, lambda now: Q(at__lt=now - signs.KEPT)),
    Life(Incident, lambda now: Q(ended_at__lt=now - history())),
    Life(IncidentException, lambda now: Q(expires_at__lt=now - history())),
    Life(Usual, lambda now: Q(updated_at__lt=now - history())),
    Life(Session, lambda now: Q(expire_date__lt=now)),
    # No session lasts longer.
    Life(SignIn, lambda now: Q(at__lt=now - TRIES)),
    Life(User, lambda now: Q(last_login=None, date_joined__lt=now - UNCONFIRMED, emailaddress__verified=False)),
    Life(OneTimeLogin, lambda now: Q(expires_at__lt=now - LINKS)),
    Life(Token, lambda now: Q(revoked_at__lt=now - history()) | Q(expires_at__lt=now - history())),
    # With it go the boards that came in by it; robots stay.
    Life(Claim, lambda now: Q(expires_at__lt=now - TRIES)),
    Life(Invitation, lambda now: Q(expires_at__lt=now - TRIES)),
    # A cart that was forgotten; orders are what the law wants kept.
    Life(Cart, lambda now: Q(touched_at__lt=now - CART_LIFE)),
    Life(
        StockWait,
        lambda now: (
            Q(confirmed_at=None, asked_at__lt=now - waits.UNCONFIRMED)
            | Q(confirmed_at__lt=now - waits.CONFIRMED)
            | Q(next_at=None, told_at__lt=now - waits.TAKEN)
        ),
    ),
    Life(PartDay, lambda now: Q(day__lt=(now - timedelta(days=2 * history_of_parts.DAYS)).date())),
    Life(Message, lambda now: Q(at__lt=now - visitors.MESSAGES)),
    Life(
        BetaRequest,
        lambda now: Q(confirmed_at=None, asked_at__lt=now - visitors.UNCONFIRMED) | Q(confirmed_at__lt=now - visitors.CONFIRMED),
    ),
    Life(Counted, lambda now: Q(expires__lt=now)),
    Life(Registering, lambda now: Q(at__lt=now - timedelta(days=1))),
    Life(AccessAttempt, lambda now: Q(attempt_time__lt=now - TRIES)),
    Life(AccessFailureLog, lambda now: Q(attempt_time__lt=now - TRIES)),
    Life(Entry, lambda now: Q(at__lt=now - audit())),
    Life(AccessLog, lambda now: Q(attempt_time__lt=now - TRIES)),
)


def let_go(now: datetime) -> None:
    """Delete what has had its life, a few rows a transaction."""
    for life in LIVES:
        manager: Any = life.model._default_manager
        delete_in_turns(manager.filter(life.over(now)))

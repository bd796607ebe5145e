"""Whether what somebody came with still lets them in, as they came: asked again and again while a stream is open. Only reads."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from croody.accounts.caller import Caller, again
from croody.accounts.sessions import kept_as
from croody.fleet.models import Credential, NextCredential
from croody.fleet.services import sha256_of

#: Who came with nothing that could end; the site's own keys are those of the process.
_WITHOUT_END: Final = frozenset({"anonymous", "demo", "service"})


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who came, and with what.

    Attributes:
        session: as its row is named.
        password: of a session, the hash of the password that it was opened with, as Django keeps it.
        secret: SHA-256 of a robot's secret.
    """

    caller: Caller
    session: str = ""
    password: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)

    @property
    def may_end(self) -> bool:
        """Say whether there is anything to ask about."""
        return self.caller.kind not in _WITHOUT_END


def ticket_of(request: HttpRequest, caller: Caller) -> Ticket:
    """What the caller of this request came with."""
    if caller.kind == "person":
        return Ticket(caller, kept_as(request.session.session_key or ""), request.session.get(HASH_SESSION_KEY, ""))
    if caller.kind == "robot":
        return Ticket(caller, secret=sha256_of(request.headers.get("X-API-Key", "")))
    return Ticket(caller)


def ended(tickets: Collection[Ticket]) -> frozenset[Ticket]:
    """Those whose session, token or secret is over, whose password is another one, or whose owner is not who they were."""
    now = {caller: again(caller) for caller in {ticket.caller for ticket in tickets}}
    names = [ticket.session for ticket in tickets if ticket.session]
    sessions = frozenset(
        Session.objects.filter(session_key__in=names, expire_date__gt=timezone.now()).values_list("session_key", flat=True)
    )
    owners = {ticket.caller.user_id or 0 for ticket in tickets if ticket.session}
    passwords = {user.pk: user.get_session_auth_hash() for user in User.objects.filter(pk__in=owners)} if owners else {}
    hashes = [ticket.secret for ticket in tickets if ticket.secret]
    good = Credential.objects.filter(sha256__in=hashes, robot__deleted_at=None).values_list("sha256", flat=True)
    coming = NextCredential.objects.filter(sha256__in=hashes, robot__deleted_at=None, expires_at__gt=timezone.now())
    secrets = frozenset(good) | frozenset(coming.values_list("sha256", flat=True))

    def stands(ticket: Ticket) -> bool:
        if ticket.session and (ticket.session not in sessions or passwords.get(ticket.caller.user_id or 0) != ticket.password):
            return False
        return now[ticket.caller] == ticket.caller and (not ticket.secret or ticket.secret in secrets)

    return frozenset(ticket for ticket in tickets if ticket.may_end and not stands(ticket))

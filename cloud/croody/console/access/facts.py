"""Asks the database who is in an organisation, who is invited, and which tokens it has. Words nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from croody.accounts import invitations, tokens
from croody.accounts.caller import Caller, Role
from croody.accounts.models import Invitation, Membership, Organisation, Token
from croody.accounts.organisation_rules import Affair, may
from croody.web.address import page_count

#: Members on one page.
PER_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Access:
    """What a page about one organisation shows to somebody: lists are empty where they may not know."""

    organisation: Organisation
    members: list[Membership]
    total: int
    page: int
    pages: int
    invitations: list[Invitation]
    tokens: list[Token]
    may: dict[str, bool]


def access(caller: Caller, organisation: Organisation, page: int, now: datetime) -> Access:
    """Members by name, `PER_PAGE` a page."""
    able = {affair.value: may(caller, affair, organisation.pk) for affair in Affair}
    members = Membership.objects.filter(organisation=organisation).select_related("user").order_by("user__username")
    total = members.count()
    pages = page_count(total, PER_PAGE)
    page = min(page, pages)
    return Access(
        organisation=organisation,
        members=list(members[(page - 1) * PER_PAGE : page * PER_PAGE]),
        total=total,
        page=page,
        pages=pages,
        invitations=_invitations(organisation, now) if able[Affair.INVITE] else [],
        tokens=tokens.of_organisation(organisation, now) if able[Affair.TOKENS] else [],
        may=able,
    )


def _invitations(organisation: Organisation, now: datetime) -> list[Invitation]:
    found = invitations.waiting(now).filter(organisation=organisation).select_related("made_by")
    return list(found.order_by("expires_at")[: invitations.MOST])


def owners(organisation: Organisation) -> int:
    """How many own it."""
    return Membership.objects.filter(organisation=organisation, role=Role.OWNER).count()

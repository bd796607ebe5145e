"""What is written down of people's own affairs: who comes in and goes, by what. Each organisation that somebody is in has it in its log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from croody.accounts.models import Membership
from croody.audit.actor import Actor
from croody.audit.services import record


def note(
    user: AbstractBaseUser, actor: Actor, verb: str, thing: str, thing_id: str, now: datetime, *, after: Mapping[str, Any] | None = None
) -> None:
    """Write down what was done to something of this person: once for each of their organisations, else for nobody's."""
    mine: list[int | None] = [
        *Membership.objects.filter(user_id=user.pk).order_by("organisation_id").values_list("organisation_id", flat=True)
    ]
    for organisation_id in mine or [None]:
        record(actor, verb, thing, thing_id, organisation_id=organisation_id, after=after, now=now)

"""Addresses that a person keeps for the next order: ten at most, one of which is used unless another is chosen. Knows no page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from croody.accounts import audit_trail
from croody.audit.actor import Actor
from croody.shop.models import SavedAddress

MOST: Final = 10


class Full(ValueError):
    """They keep as many as they may; says the remedy."""


def of(user: User) -> list[SavedAddress]:
    """Theirs, the one that is used first."""
    return list(SavedAddress.objects.filter(user=user).order_by("-is_default", "-pk"))


def found(user: User, number: int) -> SavedAddress | None:
    """One of theirs."""
    return SavedAddress.objects.filter(user=user, pk=number).first()


@transaction.atomic
def keep(user: User, address: Mapping[str, str], *, actor: Actor, now: datetime) -> SavedAddress:
    """Keep one more; their first is the one that is used. One that is there already stays as it is.

    Raises:
        Full: they have ten.
    """
    theirs = _locked(user)
    same = next((one for one in theirs if one.address == dict(address)), None)
    if same is not None:
        return same
    if len(theirs) >= MOST:
        raise Full(_("Caben %(most)s direcciones en tu cuenta: quita una antes de guardar otra.") % {"most": MOST})
    _note(user, actor, now)
    return SavedAddress.objects.create(user=user, address=dict(address), is_default=not theirs, at=now)


@transaction.atomic
def change(one: SavedAddress, address: Mapping[str, str], *, actor: Actor, now: datetime) -> None:
    """Write it anew. Orders that it was used for keep theirs."""
    SavedAddress.objects.filter(pk=one.pk).update(address=dict(address), at=now)
    _note(one.user, actor, now)


@transaction.atomic
def use_first(one: SavedAddress, *, actor: Actor, now: datetime) -> None:
    """This one is used from now on, unless another is chosen."""
    _locked(one.user)
    SavedAddress.objects.filter(user=one.user, is_default=True).update(is_default=False)
    SavedAddress.objects.filter(pk=one.pk).update(is_default=True)
    _note(one.user, actor, now)


@transaction.atomic
def remove(one: SavedAddress, *, actor: Actor, now: datetime) -> None:
    """Forget it. Where it was the one that is used, the newest of the others is now."""
    left = [other for other in _locked(one.user) if other.pk != one.pk]
    SavedAddress.objects.filter(pk=one.pk).delete()
    if left and not any(other.is_default for other in left):
        SavedAddress.objects.filter(pk=max(other.pk for other in left)).update(is_default=True)
    _note(one.user, actor, now)


def _locked(user: User) -> list[SavedAddress]:
    """Theirs, and nobody changes them meanwhile."""
    User.objects.select_for_update().get(pk=user.pk)
    return list(SavedAddress.objects.filter(user=user))


def _note(user: User, actor: Actor, now: datetime) -> None:
    audit_trail.note(user, actor, "address", "person", user.get_username(), now)

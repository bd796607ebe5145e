"""What Croody has of a person, as they may take it along; and its end, fourteen days after they asked for it. Knows no page."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from croody.accounts import mailer
from croody.accounts.models import Membership, Organisation, ProfilePicture, SignIn, Token
from croody.audit.actor import SYSTEM, Actor
from croody.audit.models import Entry
from croody.audit.services import record
from croody.notices.models import Browser
from croody.shop.models import Order, SavedAddress, StockWait
from croody.site.models import Leaving
from croody.web import formats

GRACE: Final = timedelta(days=14)
#: Of what grows with every act: the newest.
MOST: Final = 5000
#: Accounts of one run.
_A_RUN: Final = 20


class OnlyOwner(ValueError):
    """An organisation would be without an owner; says which, and the remedy."""


def export(user: User) -> dict[str, Any]:
    """Everything of theirs, without what lets anybody in."""
    face = ProfilePicture.objects.filter(user=user).first()
    return {
        "account": _of(user, "username", "email", "first_name", "last_name", "date_joined", "last_login"),
        "picture_webp": base64.b64encode(face.webp).decode() if face is not None else None,
        "memberships": list(Membership.objects.filter(user=user).values("organisation__slug", "organisation__name", "role")),
        "tokens": list(
            Token.objects.filter(user=user).values("name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
        ),
        "sign_ins": list(SignIn.objects.filter(user=user).order_by("-at").values("address", "agent", "at", "seen_at")[:MOST]),
        "browsers": list(Browser.objects.filter(person=user).order_by("-pk").values("name", "created_at", "told_at")),
        "orders": [_order(one) for one in Order.objects.filter(user=user).prefetch_related("lines").order_by("-pk")[:MOST]],
        "addresses": list(SavedAddress.objects.filter(user=user).order_by("pk").values("address", "is_default", "at")),
        "product_notices": list(_waits(user).order_by("pk").values("product__slug", "email", "asked_at", "confirmed_at")),
        "log": list(
            Entry.objects.filter(user_id=user.pk)
            .order_by("-at", "-pk")
            .values("at", "verb", "thing", "thing_id", "before", "after", "address")[:MOST]
        ),
    }


def ask_to_leave(user: User, *, actor: Actor, now: datetime) -> Leaving:
    """From now on the time of grace runs. Asked again, it runs on as it was.

    Raises:
        OnlyOwner: they own an organisation alone.
    """
    _check(user)
    asked = {"asked_at": now, "due_at": now + GRACE, "language": get_language() or ""}
    with transaction.atomic():
        leaving, made = Leaving.objects.get_or_create(user=user, defaults=asked)
        if made:
            record(actor, "ask_to_leave", "person", user.get_username(), organisation_id=None, now=now)
    if made:
        _tell(leaving, now)
    return leaving


def stay(user: User, *, actor: Actor, now: datetime) -> bool:
    """They changed their mind. False: they had not asked."""
    with transaction.atomic():
        ended = Leaving.objects.filter(user=user).delete()[0] > 0
        if ended:
            record(actor, "stay", "person", user.get_username(), organisation_id=None, now=now)
    return ended


def let_leave(now: datetime) -> None:
    """Delete the accounts whose time of grace is over. Who has become somebody's only owner meanwhile stays until that is settled.

    Whose mail about it could not be handed over is told again.
    """
    # In no order: an address that no mail server takes keeps nobody else from being told.
    for leaving in Leaving.objects.filter(told_at=None, due_at__gt=now).select_related("user").order_by("?")[:_A_RUN]:
        _tell(leaving, now)
    for leaving in Leaving.objects.filter(due_at__lte=now).select_related("user").order_by("due_at")[:_A_RUN]:
        try:
            _check(leaving.user)
        except OnlyOwner:
            Leaving.objects.filter(pk=leaving.pk).update(due_at=now + timedelta(days=1))
            continue
        _delete(leaving.user, now)


def _tell(leaving: Leaving, now: datetime) -> None:
    user = leaving.user
    with override(leaving.language or settings.LANGUAGE_CODE):
        text = _("Pediste borrar tu cuenta %(name)s. Se borra el %(day)s. Si cambias de idea, entra antes en la página de tus datos.")
        said = text % {"name": user.get_username(), "day": formats.moment(leaving.due_at, get_language() or settings.LANGUAGE_CODE)}
        headers = mailer.always("leaving", leaving.pk, leaving.asked_at)
        went = not user.email or mailer.send(user.email, _("Tu cuenta se va a borrar"), said, headers=headers)
    if went:
        Leaving.objects.filter(pk=leaving.pk).update(told_at=now)


def _delete(user: User, now: datetime) -> None:
    name = user.get_username()
    with transaction.atomic():
        # Books stay; of whom they are about only what an invoice needs.
        for order in Order.objects.filter(user=user).order_by("pk"):
            order.email, order.notes, order.address = "", "", {"country": order.address.get("country", "")}
            order.save(update_fields=["email", "notes", "address"])
        _waits(user).delete()
        user.delete()
        record(SYSTEM, "leave", "person", name, organisation_id=None, now=now)


def _waits(user: User) -> QuerySet[StockWait]:
    """What addresses wait for that are theirs: those they confirmed."""
    return StockWait.objects.filter(email__in=EmailAddress.objects.filter(user=user, verified=True).values(low=Lower("email")))


def _check(user: User) -> None:
    mine = Membership.objects.filter(user=user, role=Membership.Role.OWNER).values_list("organisation_id", flat=True)
    others = Membership.objects.filter(organisation__in=mine, role=Membership.Role.OWNER).exclude(user=user).values("organisation_id")
    alone = Organisation.objects.filter(pk__in=mine).exclude(pk__in=others).order_by("name").first()
    if alone is not None:
        raise OnlyOwner(
            _("%(name)s es la única persona que administra %(organisation)s: deja que otra administre antes.")
            % {"name": user.get_username(), "organisation": alone.name}
        )


def _of(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _order(one: Order) -> Mapping[str, Any]:
    said = _of(
        one, "name", "state", "email", "currency", "total_minor", "tax_minor", "address", "invoice", "notes", "created_at", "paid_at"
    )
    return {**said, "lines": [_of(line, "name", "quantity", "unit_minor") for line in one.lines.all()]}

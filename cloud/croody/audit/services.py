"""The one write to the audit log. Every service that somebody causes calls it, inside its own transaction: no act without its entry."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from croody.audit.actor import Actor
from croody.audit.content import clean, text
from croody.audit.models import Entry


def record(
    actor: Actor,
    verb: str,
    thing: str,
    thing_id: str,
    *,
    organisation_id: int | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: datetime,
) -> Entry:
    """Write down one act.

    Args:
        actor: who did it.
        verb: what was done, in a word of `[a-z_]`: `add`, `rotate`, `close`.
        thing: what kind of thing it was done to: `robot`, `alarm`, `token`.
        thing_id: which one, as people find it again.
        organisation_id: whose members may read it; None for what concerns no organisation.
        before: what changed, as it was; values that are called like a secret are hidden, long ones cut.
        after: the same, as it is now.
        now: when.
    """
    return Entry.objects.create(
        at=now,
        kind=actor.kind,
        user_id=actor.user_id,
        name=text(actor.name, 150),
        token_id=actor.token_id,
        address=text(actor.address, 45),
        request_id=text(actor.request_id, 64),
        verb=text(verb, 32),
        thing=text(thing, 32),
        thing_id=text(thing_id, 160),
        organisation_id=organisation_id,
        before=clean(before),
        after=clean(after),
    )

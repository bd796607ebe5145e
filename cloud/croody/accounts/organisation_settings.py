"""What an organisation is called and asks of its members: the one write to it."""

from datetime import datetime

from django.db import transaction

from croody.accounts.models import Organisation
from croody.audit.actor import Actor
from croody.audit.services import record


def change(organisation: Organisation, *, name: str, asks_second_factor: bool, now: datetime, actor: Actor) -> None:
    """Keep what is different, and write it down."""
    asked = {"name": name, "asks_second_factor": asks_second_factor}
    before = {field: getattr(organisation, field) for field, value in asked.items() if getattr(organisation, field) != value}
    if not before:
        return
    for field in before:
        setattr(organisation, field, asked[field])
    with transaction.atomic():
        organisation.save(update_fields=list(before))
        after = {field: asked[field] for field in before}
        record(actor, "change", "organisation", organisation.slug, organisation_id=organisation.pk, before=before, after=after, now=now)

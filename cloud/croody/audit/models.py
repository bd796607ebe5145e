"""One row an act. Rows are added and never changed; what had its long life is let go of by `worker.retention`, and by nobody else.

The code refuses before the database does; the database refuses by a trigger (`triggers`), so that no shell and no admin site gets past.
"""

from collections.abc import Iterable
from typing import Any, Final, NoReturn

from django.db import models

_REFUSED: Final = "the audit log is only added to: write another entry with audit.services.record"


class AppendOnly(RuntimeError):
    """Somebody tried to change or delete an entry. A mistake in the code, so no retry can help."""


class Entries(models.QuerySet["Entry"]):
    """Reads, and nothing else."""

    def update(self, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly(_REFUSED)

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnly(_REFUSED)

    def bulk_update(self, objs: Iterable["Entry"], fields: Iterable[str], batch_size: int | None = None) -> NoReturn:
        """Refuse."""
        raise AppendOnly(_REFUSED)


class Entry(models.Model):
    """Who (`kind` to `request_id`) did what (`verb`) to what (`thing`, `thing_id`), and what that changed.

    Nothing here is a foreign key: the people and things that an entry names may be gone.
    """

    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    user_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=150, blank=True)
    token_id = models.BigIntegerField(null=True)
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    verb = models.CharField(max_length=32)
    thing = models.CharField(max_length=32)
    thing_id = models.CharField(max_length=160, blank=True)
    #: Whose members may read it; null: it concerns no organisation, and only its own doer and superusers may.
    organisation_id = models.BigIntegerField(null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = Entries.as_manager()

    class Meta:
        # An organisation's newest, of all and by each filter; a person's own; those of one thing; all by age.
        indexes = [
            models.Index(fields=["organisation_id", "-at", "-id"], name="audit_organisation"),
            models.Index(fields=["organisation_id", "name", "-at", "-id"], name="audit_name"),
            models.Index(fields=["organisation_id", "verb", "-at", "-id"], name="audit_verb"),
            models.Index(fields=["organisation_id", "thing", "thing_id", "-at", "-id"], name="audit_thing"),
            models.Index(fields=["user_id", "-at", "-id"], name="audit_person"),
            models.Index(fields=["-at", "-id"], name="audit_age"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it.

        Raises:
            AppendOnly: it is there already.
        """
        if self.pk is not None:
            raise AppendOnly(_REFUSED)
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly(_REFUSED)

"""Sessions as Django keeps them in the database, under a hash of their key: no row, and no backup, lets anybody in.

The key is in the browser's cookie and nowhere else. A row's key sent as a cookie is hashed once more, and found nowhere.
"""

import hashlib
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.utils import timezone


def kept_as(session_key: str) -> str:
    """How a session's key stands in the table, whose column has room for 160 bits in hexadecimal. The key itself has 165."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


class SessionStore(DatabaseSessions):
    """Django's `SESSION_ENGINE` protocol. Everything that meets a row goes through `kept_as`."""

    def _get_session_from_db(self) -> Session | None:
        found: Session | None = self._row().first()
        if found is None:
            self._session_key = None
        return found

    async def _aget_session_from_db(self) -> Session | None:
        found: Session | None = await self._row().afirst()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        """Say whether there is a session of this key."""
        return bool(super().exists(kept_as(session_key)))

    async def aexists(self, session_key: str) -> bool:
        """As `exists`."""
        return bool(await super().aexists(kept_as(session_key)))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row of this session."""
        row = super().create_model_instance(data)
        row.session_key = kept_as(row.session_key)
        return row

    async def acreate_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """As `create_model_instance`."""
        row = await super().acreate_model_instance(data)
        row.session_key = kept_as(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """End a session, this one when no key is given."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(kept_as(key))

    async def adelete(self, session_key: str | None = None) -> None:
        """As `delete`."""
        key = session_key or self.session_key
        if key is not None:
            await super().adelete(kept_as(key))

    def _row(self) -> Any:
        return self.model.objects.filter(session_key=kept_as(self.session_key or ""), expire_date__gt=timezone.now())

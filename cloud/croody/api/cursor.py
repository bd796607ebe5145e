"""Where a list goes on: an opaque word that names the last thing given. Pure."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from croody.api.errors import Wrong

_LONGEST: Final = 1024
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def written(*place: Any) -> str:
    """The cursor of a place: whatever the list is ordered by, in that order."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read(cursor: str, kind: Any) -> Any:
    """The place of a cursor, a tuple of `kind`.

    Raises:
        Wrong: it is none of this list's.
    """
    try:
        padded = cursor[:_LONGEST] + "=" * (-len(cursor) % 4)
        found = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=kind)
        if all(map(_can_be, found)):
            return found
    except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError) as error:
        raise _wrong(cursor) from error
    raise _wrong(cursor)


def _can_be(part: Any) -> bool:
    """Whether a row can have it: else no database could be asked for what comes after it."""
    match part:
        case datetime():
            return part.tzinfo is not None and _FIRST <= part <= _LAST
        case int():
            return -(2**63) <= part < 2**63
        case str():
            return "\x00" not in part
    return True


def _wrong(cursor: str) -> Wrong:
    return Wrong("cursor", cursor, "it is none that this list gave", "begin again without it")

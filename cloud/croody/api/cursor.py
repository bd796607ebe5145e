"""Where a list goes on: an opaque word that names the last thing given. Pure."""

import base64
import binascii
from typing import Any, Final

import msgspec

from croody.api.errors import Wrong

_LONGEST: Final = 1024


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
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=kind)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise Wrong("cursor", cursor, "it is none that this list gave", "begin again without it") from error

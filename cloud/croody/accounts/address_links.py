"""Links that are mailed to an address: who opens one has it. They say what they are for, and keep nothing."""

from datetime import timedelta
from typing import Final

from django.core import signing

#: How long a link in a mail holds.
HOLDS: Final = timedelta(days=3)


def token(what: str, said: str) -> str:
    """What the link ends with: `said`, signed for this use alone. In plain sight: no secret belongs in it."""
    return signing.dumps(said, salt=f"croody.{what}")


def read(what: str, token: str) -> str | None:
    """What was said; None for one that is no link of ours, is for something else, or is too old."""
    try:
        return str(signing.loads(token, salt=f"croody.{what}", max_age=HOLDS))
    except signing.BadSignature:
        return None

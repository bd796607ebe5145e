"""What an answer to a POST of one reading means: stored, refused for good, or an outage and its remedy. Pure: no socket, no outbox.

Anybody on the way may answer in the server's place: a captive portal with a page and 200, a proxy with 400, 413 or 502. So nothing but
Croody's own answer counts: it names the row that was stored, or says in `detail` what is wrong with the reading. All else is an outage.
"""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from croody_contract.printable import printable
from croody_edge.texts import text

#: How much of somebody else's words goes into a line, characters.
_SHOWN: Final = 200
_MOST_WAIT_S: Final = 60.0
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_KEY_REFUSED: Final = (401, 403)
#: What the reading says breaks a rule, or it is too large: the next try would be told the same.
_AT_FAULT: Final = (413, 422)


@dataclass(frozen=True, slots=True)
class Stored:
    """The row is in the database."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The reading itself is at fault, and always will be. `why` as the server says it."""

    why: str


@dataclass(frozen=True, slots=True)
class Outage:
    """To be tried again. `why` names the remedy; `kind` tells it from others; `wait_s` is how long the server asks to be left alone."""

    kind: str
    why: str
    wait_s: float = 0.0


Meaning = Stored | Refused | Outage


class _Row(Struct):
    """What ingest answers: the stored row; of the contract's fields those that tell it from anything else."""

    id: Annotated[int, Meta(ge=1)]
    robot_id: str
    ts: str
    data: dict[str, msgspec.Raw]


class _Detail(Struct):
    detail: Annotated[str, Meta(min_length=1)]


_row: Final = msgspec.json.Decoder(_Row)
_detail: Final = msgspec.json.Decoder(_Detail)


def meaning(status: int, body: bytes, robot_id: str, *, location: str = "", retry_after: str = "") -> Meaning:
    """Judge one answer.

    Args:
        status: of the answer.
        body: as much of it as was read.
        robot_id: whose reading was sent.
        location: the header of that name.
        retry_after: the header of that name.
    """
    if 200 <= status < 300 and _names(body, robot_id):
        return Stored()
    detail = _own_words(body)
    if status in _AT_FAULT and detail:
        return Refused(f"{status} {detail}")
    kind = _kind(status, own=bool(detail))
    why = text(
        kind,
        status=status,
        said=detail or _somebody(body) or text("http.nothing"),
        robot_id=printable(robot_id),
        location=printable(location[:_SHOWN]) or text("remedy.nowhere"),
    )
    patient = retry_after.isascii() and retry_after.isdecimal()
    return Outage(f"{kind} {status}", why, min(float(retry_after), _MOST_WAIT_S) if patient else 0.0)


def _kind(status: int, *, own: bool) -> str:
    """Which text says what to do."""
    if status in _REDIRECTS:
        return "http.redirect"
    if status == 407:
        return "http.proxy_login"
    if own and status in _KEY_REFUSED:
        return "http.key"
    if own or status == 429 or status >= 500:
        return "http.said"
    return "http.not_ours"


def _names(body: bytes, robot_id: str) -> bool:
    try:
        return _row.decode(body).robot_id == robot_id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False


def _own_words(body: bytes) -> str:
    """The sentence of our API's own refusal; empty for any other body."""
    try:
        return printable(_detail.decode(body).detail[:_SHOWN])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""


def _somebody(body: bytes) -> str:
    return printable(" ".join(body[:_SHOWN].decode("utf-8", "replace").split()))

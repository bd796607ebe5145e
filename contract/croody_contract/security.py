"""What a broker noticed of who comes to it, counted over moments, for detection in the cloud. Pure structs.

The broker publishes a `Report` to `TOPIC`, which its rules let the bridge read and nobody write. `POST /api/telemetry/bridge/security`
takes a list of them. Bounded: `MOST` kinds of things a report; what did not fit is counted in `left_out`.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

TOPIC: Final = "$croody/security"
#: Different things of one report.
MOST: Final = 64
#: Reports of one request.
MOST_REPORTS: Final = 120
ACCOUNT_CHARS: Final = 80
TOPIC_CHARS: Final = 200


class Kind(StrEnum):
    """What was noticed."""

    CONNECTED = "connected"
    """Let in."""
    WRONG_SECRET = "wrong_secret"
    """An unknown account, or a wrong secret."""
    WRONG_IDENTITY = "wrong_identity"
    """The right secret with a client id, a certificate or a last will that is not the account's."""
    DENIED_PUBLISH = "denied_publish"
    """To a topic that is not the account's."""
    DENIED_SUBSCRIBE = "denied_subscribe"
    """To topics that are not the account's."""
    MALFORMED = "malformed"
    """No MQTT, or against its rules."""
    CROWD = "crowd"
    """So many connections wait that one was closed."""
    TAKEN_OVER = "taken_over"
    """A newer connection took an older one's place."""
    WRONG_KEY = "wrong_key"
    """An API was asked with nobody's key. This and the following are told by our own APIs and pages."""
    WRONG_PASSWORD = "wrong_password"
    """A log-in that failed."""
    FORBIDDEN = "forbidden"
    """An API was asked for what is not the caller's."""
    MISSING = "missing"
    """An address was asked for that does not exist: `topic`."""


_Text = Annotated[str, Meta(max_length=TOPIC_CHARS)]


class Noticed(Struct, frozen=True, omit_defaults=True):
    """The same thing `times` times in a moment.

    `address`: who it was, an IPv6 one as its /64; empty where the broker cannot tell. `account`: the user name that was given, and
    whether it is `known`.
    `secret`: which wrong secret, as a code that says only whether two are the same; empty where the broker cannot tell.
    """

    kind: Kind
    address: Annotated[str, Meta(max_length=64)] = ""
    account: Annotated[str, Meta(max_length=ACCOUNT_CHARS)] = ""
    known: bool = False
    secret: Annotated[str, Meta(max_length=16)] = ""
    topic: _Text = ""
    times: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 1


class Report(Struct, frozen=True, omit_defaults=True):
    """A moment. `ago_s`: how long ago it ended, when this was sent. `left_out`: what more there was."""

    noticed: Annotated[list[Noticed], Meta(max_length=MOST)]
    ago_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    left_out: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


_report = msgspec.json.Decoder(Report)
_reports = msgspec.json.Decoder(Annotated[list[Report], Meta(max_length=MOST_REPORTS)])


def decode_report(data: bytes) -> Report:
    """Raises msgspec.MsgspecError when `data` is no `Report`."""
    return _report.decode(data)


def decode_reports(data: bytes) -> list[Report]:
    """Raises msgspec.MsgspecError when `data` is no list of `Report`."""
    reports: list[Report] = _reports.decode(data)
    return reports

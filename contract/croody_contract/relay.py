"""What the bridge and the telemetry API say to each other over HTTP. Pure structs.

`POST /api/telemetry/bridge/relay` takes a `Relay` (everything the bridge had queued, greedily) and answers `Relayed`
after the commit. `POST /api/telemetry/bridge/outgoing` hands out due rows of `outgoing` as `Due`.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from croody_contract.messages import Ack, Answer, Outgoing, Presence


class BatchItem(Struct, frozen=True, omit_defaults=True):
    """One `up/batch`: record i has seq `first + i`. Records are still raw; the API judges each one."""

    robot_id: str
    stream: str
    first: int
    records: list[msgspec.Raw]
    prev: str | None = None
    prev_last: int | None = None
    historical: bool = False


class PlainItem(Struct, frozen=True, omit_defaults=True):
    """One `up/telemetry`, raw. What tells a repeat: its `number` of the bridge's run, and how the broker delivered it.

    `packet`: its packet id, 0 at QoS 0. `again`: a bridge had it before (DUP), and nobody knows whether it was stored.
    """

    robot_id: str
    body: msgspec.Raw
    number: int = 0
    packet: int = 0
    again: bool = False


class VehicleItem(Struct, frozen=True, omit_defaults=True):
    """One message of a VDA 5050 vehicle, raw; its topic says whose. The rest as in `PlainItem`."""

    topic: str
    body: msgspec.Raw
    number: int = 0
    packet: int = 0
    again: bool = False


class DeadItem(Struct, frozen=True, omit_defaults=True):
    """What the bridge itself could not read. `first`..`last` when the topic told its identity; `number` as in `PlainItem`.

    `hash`: of all of the body, where only its beginning is here.
    """

    reason: str
    detail: str
    topic: str
    body: bytes
    robot_id: str | None = None
    stream: str | None = None
    first: int | None = None
    last: int | None = None
    number: int = 0
    hash: str = ""


class PresenceItem(Struct, frozen=True):
    """One `up/presence`."""

    robot_id: str
    presence: Presence


class AnswerItem(Struct, frozen=True):
    """One `up/answer/{outgoing_id}`."""

    robot_id: str
    outgoing_id: int
    answer: Answer


class Sender(Struct, frozen=True):
    """Which bridge relays, so that what it sends again is known.

    `run`: random, anew at each start. Numbers below `floor` are done with: what still comes of them is a repeat. `session`: bridges that
    give the same name here have packet ids from one counter, so that what one had, another may be given.
    """

    bridge: str
    run: str
    floor: int
    session: str


class Relay(Struct, frozen=True, omit_defaults=True):
    """Everything the bridge had queued at one moment."""

    sender: Sender | None = None
    batches: list[BatchItem] = []
    plain: list[PlainItem] = []
    dead: list[DeadItem] = []
    presence: list[PresenceItem] = []
    answers: list[AnswerItem] = []
    vehicles: list[VehicleItem] = []


class RobotAck(Struct, frozen=True):
    """An acknowledgement and whose it is."""

    robot_id: str
    ack: Ack


class Relayed(Struct, frozen=True, omit_defaults=True):
    """What the commit of one `Relay` accounted for. `over`: robots that have used up their share, to be carried again in a second."""

    acks: list[RobotAck] = []
    over: list[str] = []


class Asks(Struct, frozen=True):
    """What a bridge says of itself when it asks for what is due: its version, and messages that it has not handed over yet."""

    version: str = ""
    waiting: int = 0


class DueItem(Struct, frozen=True):
    """A row of `outgoing` that is due now, and whose it is."""

    robot_id: str
    outgoing: Outgoing


class Due(Struct, frozen=True):
    """Rows to publish now; each was marked sent when it was handed out. `next_s`: ask again after so many seconds."""

    rows: list[DueItem] = []
    next_s: Annotated[float, Meta(gt=0)] = 0.4


_relay = msgspec.json.Decoder(Relay)
_relayed = msgspec.json.Decoder(Relayed)
_due = msgspec.json.Decoder(Due)
_asks = msgspec.json.Decoder(Asks)


def decode_relay(data: bytes) -> Relay:
    """Raises msgspec.MsgspecError when `data` is no `Relay`."""
    return _relay.decode(data)


def decode_relayed(data: bytes) -> Relayed:
    """Raises msgspec.MsgspecError when `data` is no `Relayed`."""
    return _relayed.decode(data)


def decode_due(data: bytes) -> Due:
    """Raises msgspec.MsgspecError when `data` is no `Due`."""
    return _due.decode(data)


def decode_asks(data: bytes) -> Asks:
    """Read what a bridge says of itself; nothing, where an earlier one says nothing that can be read."""
    try:
        return _asks.decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        return Asks()

"""MQTT topics, both ways: `build` makes the text, `parse` reads it. Knows names only, never payloads.

    croody/v1/{robot_id}/up/batch/{stream}/{first}-{last}     records of a stream; the identity is in the topic
    croody/v1/{robot_id}/up/telemetry                         plain JSON of robots that run no agent of ours
    croody/v1/{robot_id}/up/presence                          online, offline; the last will too
    croody/v1/{robot_id}/up/answer/{outgoing_id}              what became of something sent down
    croody/v1/{robot_id}/down/ack                             what the database holds now
    croody/v1/{robot_id}/down/outgoing                        re-requests, commands, configuration, models

A robot publishes only under its own `up/`, its last will included, and subscribes only under its own `down/`. Brokers
let `croody/v1/{robot_id}/WORD` through as well, where `up/` was forgotten, so that it is told: the bridge makes a dead letter of it.
"""

import re
from dataclasses import dataclass
from typing import Final

from croody_contract.limits import MAX_SEQ

ROOT: Final = "croody/v1"
ROBOT_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,64}")
STREAM: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
#: Streams that the cloud keeps for records that came without one.
PLAIN_STREAMS: Final = ("http", "mqtt")
_SPAN: Final = re.compile(r"([1-9][0-9]{0,15})-([1-9][0-9]{0,15})")
_PLAIN_ENDS: Final = ("/up/telemetry", "/state", "/visualization", "/connection", "/factsheet")
#: No row of `outgoing` ever has this number: an answer to it has no effect, and shows that a robot may speak.
NO_OUTGOING_ID: Final = 10**18 - 1
_OUTGOING_ID: Final = re.compile(r"[1-9][0-9]{0,17}")

#: What the bridge subscribes to.
UP_FILTER: Final = f"{ROOT}/+/up/#"
#: And to what a robot publishes that forgets `up/`: no such topic exists, and its dead letter says so.
ASTRAY_FILTER: Final = f"{ROOT}/+/+"


@dataclass(frozen=True, slots=True)
class UpBatch:
    """`first`..`last` of a stream, both included."""

    robot_id: str
    stream: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class UpTelemetry:
    """One plain JSON reading, without stream and seq."""

    robot_id: str


@dataclass(frozen=True, slots=True)
class UpPresence:
    """The robot says that it is there, or its will says that it is gone."""

    robot_id: str


@dataclass(frozen=True, slots=True)
class UpAnswer:
    """The robot answers a row of `outgoing`."""

    robot_id: str
    outgoing_id: int


@dataclass(frozen=True, slots=True)
class DownAck:
    """To the robot: what is accounted for."""

    robot_id: str


@dataclass(frozen=True, slots=True)
class DownOutgoing:
    """To the robot: a row of `outgoing`."""

    robot_id: str


Up = UpBatch | UpTelemetry | UpPresence | UpAnswer
Down = DownAck | DownOutgoing
Topic = Up | Down


class BadTopic(ValueError):
    """A topic that is not Croody's; the message names the level and the rule."""


def check_robot_id(robot_id: str) -> str:
    """Return `robot_id` when MQTT may carry it.

    Raises:
        BadTopic: it may not; the message says which rule it breaks.
    """
    if not ROBOT_ID.fullmatch(robot_id):
        raise BadTopic(f"robot_id {robot_id[:80]!r}: use 3 to 64 letters, digits, '_' or '-'")
    return robot_id


def build(topic: Topic) -> str:
    """The text of a topic.

    Raises:
        BadTopic: a name or number that the grammar does not carry.
    """
    base = f"{ROOT}/{check_robot_id(topic.robot_id)}"
    match topic:
        case UpBatch(_, stream, first, last):
            if not STREAM.fullmatch(stream):
                raise BadTopic(f"stream {stream[:80]!r}: use 8 to 64 letters, digits, '_' or '-'")
            _check_span(first, last)
            return f"{base}/up/batch/{stream}/{first}-{last}"
        case UpTelemetry():
            return f"{base}/up/telemetry"
        case UpPresence():
            return f"{base}/up/presence"
        case UpAnswer(_, outgoing_id):
            return f"{base}/up/answer/{outgoing_id}"
        case DownAck():
            return f"{base}/down/ack"
        case DownOutgoing():
            return f"{base}/down/outgoing"


def parse(text: str) -> Topic:
    """Read a topic.

    Raises:
        BadTopic: not one of the six; the message names the level and the rule.
    """
    levels = text.split("/")
    if len(levels) < 5 or "/".join(levels[:2]) != ROOT:
        raise BadTopic(f"topic {text[:200]!r}: expected {ROOT}/ROBOT_ID/up|down/...: publish readings to {ROOT}/ROBOT_ID/up/telemetry")
    robot_id = check_robot_id(levels[2])
    match levels[3:]:
        case ["up", "batch", stream, span]:
            if not STREAM.fullmatch(stream):
                raise BadTopic(f"stream {stream[:80]!r}: use 8 to 64 letters, digits, '_' or '-'")
            found = _SPAN.fullmatch(span)
            if not found:
                raise BadTopic(f"range {span[:80]!r}: expected FIRST-LAST, both from 1")
            first, last = int(found[1]), int(found[2])
            _check_span(first, last)
            return UpBatch(robot_id, stream, first, last)
        case ["up", "telemetry"]:
            return UpTelemetry(robot_id)
        case ["up", "presence"]:
            return UpPresence(robot_id)
        case ["up", "answer", number]:
            if not _OUTGOING_ID.fullmatch(number):
                raise BadTopic(f"answer {number[:80]!r}: expected the number of the outgoing row")
            return UpAnswer(robot_id, int(number))
        case ["down", "ack"]:
            return DownAck(robot_id)
        case ["down", "outgoing"]:
            return DownOutgoing(robot_id)
    raise BadTopic(f"topic {text[:200]!r}: no such topic under {ROOT}/{robot_id}/")


def _check_span(first: int, last: int) -> None:
    if not 1 <= first <= last <= MAX_SEQ:
        raise BadTopic(f"range {first}-{last}: needs 1 <= first <= last <= {MAX_SEQ}")


def is_plain(text: str) -> bool:
    """Say whether what comes there has no number of its own, so that its PUBACK is a receipt of the commit: plain readings, and what
    vehicles say (`vda5050`). Looks at its end only."""
    return text.endswith(_PLAIN_ENDS)


def up_prefix(robot_id: str) -> str:
    """Below this a robot may publish."""
    return f"{ROOT}/{check_robot_id(robot_id)}/up/"


def down_filter(robot_id: str) -> str:
    """What an agent subscribes to."""
    return f"{ROOT}/{check_robot_id(robot_id)}/down/#"

"""What the API's documentation says of bodies and answers. Low-rate endpoints validate with these; hot paths use the contract."""

from datetime import datetime
from typing import Any, Final, Literal

from ninja import Schema
from pydantic import ConfigDict

#: The body of `POST /ingest`, which is validated by `croody_contract.messages.Telemetry`.
INGEST_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["robot_id", "data"],
    "properties": {
        "robot_id": {"type": "string", "minLength": 3, "maxLength": 64},
        "ts": {"type": ["string", "null"], "format": "date-time", "description": "ISO 8601 with offset; without it, server time"},
        "data": {
            "type": "object",
            "maxProperties": 256,
            "additionalProperties": {"anyOf": [{"type": "number"}, {"type": "string", "maxLength": 1024}, {"type": "boolean"}]},
        },
        "position": {
            "type": ["object", "null"],
            "required": ["lat", "lng"],
            "additionalProperties": False,
            "properties": {
                "lat": {"type": "number", "minimum": -90, "maximum": 90},
                "lng": {"type": "number", "minimum": -180, "maximum": 180},
                "alt": {"type": ["number", "null"]},
            },
        },
        "environment": {"type": ["string", "null"], "maxLength": 64},
        "status": {"type": ["string", "null"], "maxLength": 64},
    },
}


class Detail(Schema):
    """Every error: what is wrong, naming the field, the rule and the remedy."""

    detail: str


class Place(Schema):
    """WGS 84, degrees; `alt` in metres."""

    lat: float
    lng: float
    alt: float | None = None


class RowOut(Schema):
    """A stored reading."""

    id: int
    ts: datetime
    data: dict[str, Any]
    robot_id: str
    position: Place | None = None
    environment: str | None = None
    status: str | None = None


class RobotLive(Schema):
    """A robot's newest reading and its trail, oldest first."""

    robot_id: str
    last: RowOut
    trail: list[RowOut]


class LiveOut(Schema):
    """Every robot that has a reading."""

    robots: list[RobotLive]
    total_points: int
    updated_at: datetime


class StreamOut(Schema):
    """What the ledger says of one stream; ranges are closed. `earlier`: of a robot of this name that was revoked since.

    Of more than 1,000 ranges the newest are listed, and `missing_before`, `dropped_before` say how many came before them.
    """

    robot_id: str
    stream: str
    first_seq: int
    last_seq: int
    stored: int
    missing: list[tuple[int, int]]
    dropped: list[tuple[int, int]]
    dead_letters: int
    earlier: bool = False
    missing_before: int = 0
    dropped_before: int = 0


class ChartOut(Schema):
    """Aligned lists, one value a bucket, null where nothing came. `step_s`: bucket length in seconds; `at`: unix seconds."""

    robot_id: str
    metric: str
    step_s: int
    at: list[int]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]


class LetterOut(Schema):
    """A dead letter. `first` and `last` are 0 when it has no place in a stream; `size` is how many bytes are kept."""

    id: int
    robot_id: str
    stream: str
    first: int
    last: int
    reason: str
    detail: str
    topic: str
    received_at: datetime
    count: int
    replayed_at: datetime | None
    size: int


class LetterFull(LetterOut):
    """With its bytes: as text where they are UTF-8, always in base64."""

    text: str | None
    base64: str


class ReplayedOut(Schema):
    """What became of the records of a letter."""

    stored: int
    dead: int


class Health(Schema):
    """This process answers."""

    status: Literal["ok"]


class DemoRobots(Schema):
    """How many robots the demo should make, and what they are called."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prefix: str = "sim"
    count: int = 1
    kind: str = "robot"
    #: Whether who asks keeps their secrets; if not they are retired an hour after they were heard last.
    keep: bool = True


class DemoRobot(Schema):
    """A robot that was made now; its secret is told only here."""

    robot_id: str
    secret: str


class DemoRobotsOut(Schema):
    """The robots that were made."""

    robots: list[DemoRobot]

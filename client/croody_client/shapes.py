"""What the API answers, as dataclasses, and how JSON becomes one. Pure. A field that is not known here is left out: servers grow."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """WGS 84, degrees; `alt` in metres."""

    lat: float
    lng: float
    alt: float | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Somebody is at work on a robot."""

    until: datetime
    since: datetime | None
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Site:
    """A place. `organisation`, `robot_count`, `origin` and `plan` (in metres) are told where the site itself is asked for."""

    number: int
    slug: str
    name: str
    organisation: str | None = None
    robot_count: int | None = None
    origin: Place | None = None
    plan: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot as it is now. What its team alone is told is None for one that is merely shared with you."""

    robot_id: str
    kind: str
    organisation: str
    site: Site | None
    shared: bool
    created_at: datetime
    state: str
    heard_at: datetime | None
    open_alarms: int | None = None
    label: str | None = None
    tags: list[str] | None = None
    notes: str | None = None
    maintenance: Maintenance | None = None


@dataclass(frozen=True, slots=True)
class RobotSecret:
    """A robot and its secret, which is told once."""

    robot: Robot
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rotation:
    """A robot that changes its secret by itself. `state`: `never`, `asked`, `received`, `done`, `refused` or `expired`.

    In all but `done` the secret of before counts, or will again.
    """

    robot_id: str
    state: str
    detail: str
    asked_at: datetime | None
    expires_at: datetime | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Revoked:
    """A robot that was shut out."""

    robot_id: str
    revoked_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A key without its secret: `prefix` is how it begins. `organisation` and `role` are a service's key's."""

    number: int
    name: str
    prefix: str
    scopes: list[str]
    organisation: str | None
    role: str | None
    made_by: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenSecret:
    """A new key and its secret, which is told once."""

    token: Token
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Values:
    """The newest reading: `age_s` is how long ago the cloud received it."""

    robot_id: str
    at: datetime
    heard_at: datetime
    age_s: float
    state: str
    values: dict[str, Any]
    position: Place | None
    environment: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation, and your role in it."""

    slug: str
    name: str
    role: str | None
    robot_count: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, and how many robots have it."""

    tag: str
    robot_count: int


@dataclass(frozen=True, slots=True)
class Line:
    """One metric of one robot, a value a bucket. What was not asked for is None."""

    robot_id: str
    metric: str
    mean: list[float | None] | None = None
    low: list[float | None] | None = None
    high: list[float | None] | None = None
    count: list[int] | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Aligned lines; `at`: the start of each bucket in unix seconds."""

    start: datetime
    end: datetime
    step_s: int
    source: str
    at: list[int]
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Event:
    """A record that is no reading."""

    id: int
    kind: str
    at: datetime
    received_at: datetime
    stream: str
    seq: int
    late: bool
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One cause at one robot, or at many in one minute."""

    id: int
    robot_id: str
    robots: list[str]
    robot_count: int
    part_of: int | None
    kind: str
    key: str
    severity: str
    detail: dict[str, Any]
    opened_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    count: int
    revision: int
    acknowledged_at: datetime | None
    assignee: str | None
    snoozed_until: datetime | None
    false: bool


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a person did about an alarm."""

    id: int
    verb: str
    at: datetime
    by: str
    said: dict[str, Any]
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Exception_:
    """What is held back as a false alarm."""

    number: int
    scope: str
    robot_id: str
    kind: str
    key: str
    created_at: datetime
    expires_at: datetime
    hits: int
    last_hit_at: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class Stream:
    """What the ledger says of one stream; ranges are closed. `missing_before`, `dropped_before`: ranges before those that are listed."""

    robot_id: str
    stream: str
    first_seq: int
    last_seq: int
    stored: int
    missing: list[list[int]]
    dropped: list[list[int]]
    dead_letters: int
    earlier: bool = False
    missing_before: int = 0
    dropped_before: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of everything that a robot numbered. `streams` where one robot is asked for."""

    robot_id: str
    stored: int
    dead: int
    dropped: int
    missing: int
    gaps: int
    streams: list[Stream] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the audit log."""

    id: int
    at: datetime
    kind: str
    user_id: int | None
    name: str
    token_id: int | None
    address: str
    request_id: str
    verb: str
    thing: str
    thing_id: str
    organisation: str | None
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, with which boards come by secrets of their own. `line` is told once, when it is made."""

    number: int
    robot_id: str | None
    group: str | None
    serials: str | None
    most: int
    used: int
    state: str
    created_at: datetime
    expires_at: datetime
    made_by: str
    line: str | None = field(default=None, repr=False)


#: What the types of a dataclass's fields are, once asked.
_hints: dict[type, dict[str, Any]] = {}


def made(kind: type[T], said: Mapping[str, Any]) -> T:
    """A dataclass of what was said.

    Raises:
        TypeError: a field without a default is not there: the server is older than this client.
    """
    hints = _hints.get(kind) or _hints.setdefault(kind, get_type_hints(kind))
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _value(hints[name], value) for name, value in said.items() if name in known})


def _value(hint: Any, value: Any) -> Any:
    if get_origin(hint) is UnionType:
        if value is None:
            return None
        hint = next(one for one in get_args(hint) if one is not NoneType)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if get_origin(hint) is list:
        inner = get_args(hint)[0]
        return [_value(inner, one) for one in value]
    return made(hint, value) if is_dataclass(hint) and isinstance(hint, type) else value

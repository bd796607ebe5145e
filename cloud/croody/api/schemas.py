"""What `/api/v1/` says of its answers, each with an example: the page about it shows them, and a test holds them against the shapes."""

from datetime import datetime
from typing import Any, Final, Literal

from ninja import Schema
from pydantic import ConfigDict

from croody.accounts.caller import Role, Scope
from croody.alarms.answer import AlarmRow
from croody.liveness.judge import State
from croody.telemetry.http.schemas import Place, StreamOut

_AT: Final = "2026-11-24T12:00:00Z"


def example(**values: Any) -> ConfigDict:
    """A schema's example."""
    return ConfigDict(json_schema_extra={"example": values})


_SITE: Final = {"number": 1, "slug": "bodega", "name": "Bodega"}
_ROBOT: Final[dict[str, Any]] = {
    "robot_id": "amr-01",
    "kind": "rover",
    "organisation": "croody",
    "site": _SITE,
    "shared": False,
    "created_at": _AT,
    "state": "online",
    "heard_at": _AT,
    "open_alarms": 0,
    "label": "Forklift 3",
    "tags": ["dock", "north"],
    "notes": "",
    "maintenance": None,
}
_SITE_ROW: Final = {**_SITE, "organisation": "croody", "robot_count": 3, "origin": {"lat": 4.6752, "lng": -74.1418}}
_ORGANISATION: Final = {"slug": "croody", "name": "Croody", "role": "operator", "robot_count": 3}
_TOKEN: Final[dict[str, Any]] = {
    "number": 7,
    "name": "dashboard of the plant",
    "prefix": "crd_Zk3v9mTr",
    "scopes": ["read"],
    "organisation": None,
    "role": None,
    "made_by": "alice",
    "created_at": _AT,
    "expires_at": "2027-02-22T12:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}


class SiteRef(Schema):
    """A site, said in short."""

    model_config = example(**_SITE)

    number: int
    slug: str
    name: str


class MaintenanceOut(Schema):
    """Somebody is at work on a robot: until when, since when, who and why."""

    model_config = example(until=_AT, since=_AT, by="alice", reason="new wheels")

    until: datetime
    since: datetime | None
    by: str
    reason: str


class RobotOut(Schema):
    """A robot as it is now. `heard_at`: when its newest reading came.

    `open_alarms`, `label`, `tags`, `notes` and `maintenance` are its team's: null for a robot that is merely shared with you.
    """

    model_config = example(**_ROBOT)

    robot_id: str
    kind: str
    organisation: str
    site: SiteRef | None
    shared: bool
    created_at: datetime
    state: State
    heard_at: datetime | None
    open_alarms: int | None
    label: str | None
    tags: list[str] | None
    notes: str | None
    maintenance: MaintenanceOut | None


class RobotsOut(Schema):
    """A page of robots."""

    model_config = example(items=[_ROBOT], next=None)

    items: list[RobotOut]
    next: str | None


class RobotSecretOut(Schema):
    """A robot and its secret, which is told here and never again."""

    model_config = example(robot=_ROBOT, secret="pYt4x0uUO2lTz1XfVw0q6c7H3nJm8aKd5RbGsEiLoQM")

    robot: RobotOut
    secret: str


class RevokedOut(Schema):
    """A robot that was shut out."""

    model_config = example(robot_id="amr-01", revoked_at=_AT)

    robot_id: str
    revoked_at: datetime


class RotationOut(Schema):
    """A robot that changes its secret by itself. `state`: `asked`, `received` (it made one), `done`, `refused`, `expired` or `never`.

    In all but `done` the secret of before counts, or will again.
    """

    model_config = example(robot_id="amr-01", state="received", detail="", asked_at=_AT, expires_at=_AT, answered_at=None)

    robot_id: str
    state: Literal["never", "asked", "received", "done", "refused", "expired"]
    detail: str
    asked_at: datetime | None
    expires_at: datetime | None
    answered_at: datetime | None


class TokenRow(Schema):
    """A key without its secret: `prefix` is how it begins. `organisation` and `role` are a service's key's."""

    model_config = example(**_TOKEN)

    number: int
    name: str
    prefix: str
    scopes: list[Scope]
    organisation: str | None
    role: Role | None
    made_by: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokensOut(Schema):
    """A page of keys that work now."""

    model_config = example(items=[_TOKEN], next=None)

    items: list[TokenRow]
    next: str | None


class TokenSecretOut(Schema):
    """A new key and its secret, which is told here and never again."""

    model_config = example(token=_TOKEN, secret="crd_Zk3v9mTr0aQ2c7H3nJm8aKd5RbGsEiLoQM")

    token: TokenRow
    secret: str


class ValuesOut(Schema):
    """The newest reading. `at`: the moment it counts for; `heard_at`: when the cloud received it; `age_s`: how long ago that was."""

    model_config = example(
        robot_id="amr-01",
        at=_AT,
        heard_at=_AT,
        age_s=0.4,
        state="moving",
        values={"battery_pct": 87, "motor_temp_c": 41.5},
        position={"lat": 4.6752, "lng": -74.1418, "alt": None},
        environment=None,
        status="moving",
    )

    robot_id: str
    at: datetime
    heard_at: datetime
    age_s: float
    state: State
    values: dict[str, Any]
    position: Place | None
    environment: str | None
    status: str | None


class Origin(Schema):
    """Where a plan's corner lies on Earth, in degrees."""

    lat: float
    lng: float


class SiteRow(SiteRef):
    """A site. `robot_count`: robots there that you may see."""

    model_config = example(**_SITE_ROW)

    organisation: str
    robot_count: int
    origin: Origin | None


class SitesOut(Schema):
    """A page of sites."""

    model_config = example(items=[_SITE_ROW], next=None)

    items: list[SiteRow]
    next: str | None


class SiteOut(SiteRow):
    """A site with its plan."""

    model_config = example(**_SITE_ROW, plan={"width_m": 40, "height_m": 24})

    plan: dict[str, Any]


class OrganisationRow(Schema):
    """An organisation, and what you are in it."""

    model_config = example(**_ORGANISATION)

    slug: str
    name: str
    role: Role | None
    robot_count: int


class OrganisationsOut(Schema):
    """A page of organisations."""

    model_config = example(items=[_ORGANISATION], next=None)

    items: list[OrganisationRow]
    next: str | None


class LineOut(Schema):
    """One metric of one robot: a value a bucket, null where nothing came; `count` is 0 there."""

    model_config = example(robot_id="amr-01", metric="battery_pct", mean=[87.2, None], low=[87, None], high=[88, None], count=[60, 0])

    robot_id: str
    metric: str
    mean: list[float | None] | None = None
    low: list[float | None] | None = None
    high: list[float | None] | None = None
    count: list[int] | None = None


class SeriesOut(Schema):
    """Aligned lines. `at`: the start of each bucket in unix seconds; `step_s`: how long one is; `source`: from what they were made."""

    model_config = example(
        start=_AT,
        end="2026-11-24T12:02:00Z",
        step_s=60,
        source="minutes",
        at=[1795521600, 1795521660],
        lines=[{"robot_id": "amr-01", "metric": "battery_pct", "mean": [87.2, None]}],
    )

    start: datetime
    end: datetime
    step_s: int
    source: Literal["readings", "minutes", "hours"]
    at: list[int]
    lines: list[LineOut]


_SUMS: Final = {"robot_id": "amr-01", "stored": 1200, "dead": 0, "dropped": 0, "missing": 3, "gaps": 1}


class DeliveryRow(Schema):
    """What became of everything that a robot numbered: each record is one of the four. `missing` may still come, in `gaps` holes."""

    model_config = example(**_SUMS)

    robot_id: str
    stored: int
    dead: int
    dropped: int
    missing: int
    gaps: int


class DeliveriesOut(Schema):
    """A page of them."""

    model_config = example(items=[_SUMS], next=None)

    items: list[DeliveryRow]
    next: str | None


class DeliveryOut(DeliveryRow):
    """With its streams, in their order."""

    model_config = example(
        **_SUMS,
        streams=[
            {
                "robot_id": "amr-01",
                "stream": "Zk3v9mTr0aQ2",
                "first_seq": 1,
                "last_seq": 1203,
                "stored": 1200,
                "missing": [[40, 42]],
                "dropped": [],
                "dead_letters": 0,
                "earlier": False,
                "missing_before": 0,
                "dropped_before": 0,
            }
        ],
    )

    streams: list[StreamOut]


_ALARM: Final[dict[str, Any]] = {
    "id": 7,
    "robot_id": "amr-01",
    "robots": ["amr-01"],
    "robot_count": 1,
    "part_of": None,
    "kind": "battery_low",
    "key": "",
    "severity": "high",
    "detail": {"battery_pct": 11},
    "opened_at": _AT,
    "last_at": _AT,
    "resolved_at": None,
    "count": 1,
    "revision": 1,
    "acknowledged_at": _AT,
    "assignee": "alice",
    "snoozed_until": None,
    "false": False,
}


class AlarmOut(AlarmRow):
    """One cause at one robot, or at many in one minute. `resolved_at` is null while it holds; `count` is how often it was noticed.

    `robot_id` is empty for many robots. `robots` are those that it still concerns, or did when it ended, the first hundred by name;
    `robot_count` is how many. `part_of` is the alarm of many robots that one of a single robot belongs to. `revision` goes up with every
    act but a comment: send it with yours, and you are told when somebody was faster. `false`: somebody said that it was no alarm.
    """

    model_config = example(**_ALARM)

    revision: int
    acknowledged_at: datetime | None
    assignee: str | None
    snoozed_until: datetime | None
    false: bool


class AlarmsOut(Schema):
    """A page of alarms."""

    model_config = example(items=[_ALARM], next=None)

    items: list[AlarmOut]
    next: str | None


_ACT: Final = {"id": 3, "verb": "comment", "at": _AT, "by": "alice", "said": {"text": "the bumper was replaced"}, "undone_at": None}


class ActOut(Schema):
    """One thing that a person did about an alarm."""

    model_config = example(**_ACT)

    id: int
    verb: str
    at: datetime
    by: str
    said: dict[str, Any]
    undone_at: datetime | None


class HistoryOut(Schema):
    """A page of them."""

    model_config = example(items=[_ACT], next=None)

    items: list[ActOut]
    next: str | None


_EXCEPTION: Final[dict[str, Any]] = {
    "number": 2,
    "scope": "robot",
    "robot_id": "amr-01",
    "kind": "bumper_hit",
    "key": "",
    "created_at": _AT,
    "expires_at": "2026-12-24T12:00:00Z",
    "hits": 4,
    "last_hit_at": _AT,
    "by": "alice",
}


class ExceptionOut(Schema):
    """A false alarm, said by a person: until it expires, alarms like it are counted (`hits`) and not shown."""

    model_config = example(**_EXCEPTION)

    number: int
    scope: Literal["cause", "robot", "team"]
    robot_id: str
    kind: str
    key: str
    created_at: datetime
    expires_at: datetime
    hits: int
    last_hit_at: datetime | None
    by: str


class ExceptionsOut(Schema):
    """Those that hold now."""

    model_config = example(items=[_EXCEPTION], next=None)

    items: list[ExceptionOut]
    next: str | None


class TagRow(Schema):
    """A tag, and how many robots have it."""

    model_config = example(tag="dock", robot_count=4)

    tag: str
    robot_count: int


class TagsOut(Schema):
    """All of them."""

    model_config = example(items=[{"tag": "dock", "robot_count": 4}], next=None)

    items: list[TagRow]
    next: str | None


_EVENT: Final[dict[str, Any]] = {
    "id": 3,
    "kind": "event",
    "at": _AT,
    "received_at": _AT,
    "stream": "Zk3v9mTr0aQ2",
    "seq": 3,
    "late": False,
    "data": {"code": "bumper_hit", "severity": "medium"},
}


class EventRow(Schema):
    """A record that is no reading. `at`: the moment it counts for; `late`: it came as backlog; `data`: what it says."""

    model_config = example(**_EVENT)

    id: int
    kind: str
    at: datetime
    received_at: datetime
    stream: str
    seq: int
    late: bool
    data: dict[str, Any]


class EventsOut(Schema):
    """A page of them."""

    model_config = example(items=[_EVENT], next=None)

    items: list[EventRow]
    next: str | None


_ENTRY: Final[dict[str, Any]] = {
    "id": 12,
    "at": _AT,
    "kind": "token",
    "user_id": 1,
    "name": "alice",
    "token_id": 4,
    "address": "192.0.2.7",
    "request_id": "5f0c",
    "verb": "comment",
    "thing": "alarm",
    "thing_id": "7",
    "organisation": "croody",
    "before": {},
    "after": {"text": "the bumper was replaced"},
}


class EntryOut(Schema):
    """Who (`kind` to `request_id`) did what (`verb`) to what (`thing`, `thing_id`), and what that changed."""

    model_config = example(**_ENTRY)

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


class AuditOut(Schema):
    """A page of the log."""

    model_config = example(items=[_ENTRY], next=None)

    items: list[EntryOut]
    next: str | None


_CLAIM: Final[dict[str, Any]] = {
    "number": 7,
    "robot_id": "amr-01",
    "group": None,
    "serials": None,
    "most": 1,
    "used": 0,
    "state": "open",
    "created_at": _AT,
    "expires_at": "2026-11-24T12:15:00Z",
    "made_by": "alice",
}


class ClaimRow(Schema):
    """A claim without its word: of a robot, or of the `most` robots that a group makes. `used`: boards that came in by it."""

    model_config = example(**_CLAIM)

    number: int
    robot_id: str | None
    group: str | None
    serials: str | None
    most: int
    used: int
    state: Literal["open", "used", "revoked", "expired"]
    created_at: datetime
    expires_at: datetime
    made_by: str


class ClaimMadeOut(ClaimRow):
    """A claim that was just made, with the line for the board, which is told this once."""

    model_config = example(**_CLAIM, line="croody+https://robots.example.org/amr-01/k3J9w2Qd7Xn5Rb8Tz1Lm4Vc6")

    line: str


class ClaimsOut(Schema):
    """Claims."""

    model_config = example(items=[_CLAIM], next=None)

    items: list[ClaimRow]
    next: str | None

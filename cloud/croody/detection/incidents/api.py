"""Incidents, calibrations and the detector's own state over HTTP. Thin: rules are `verdicts`, `calibrations` and `quality`."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from ninja.security import APIKeyHeader
from pydantic import ConfigDict

from croody.accounts.caller import IDS, Caller, actor_of
from croody.detection import quality
from croody.detection.incidents import calibrations, exceptions, queries, verdicts
from croody.detection.incidents.calibrations import InForce
from croody.detection.incidents.verdicts import BadVerdict
from croody.detection.site_models.api import SiteModelsOut, get_models
from croody.fleet.access import Action, Needs, asking, robots
from croody.web.body import read_body
from croody.web.refusals import Denied
from croody_contract.flows import calibration
from croody_contract.flows.limits import RULES, limit_of

#: Rows of one page.
MOST: Final = 200
_Word = Annotated[str | None, Query(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]
_ID = Annotated[int, Field(ge=1, le=exceptions.MOST_ID)]


class Key(APIKeyHeader):
    """`Needs`, written into the OpenAPI description."""

    param_name = "X-API-Key"

    def __init__(self, action: Action = Action.ASSESS) -> None:
        super().__init__()
        self._needs = Needs(action, IDS)
        self.rule = self._needs.rule

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller:
        """Who calls."""
        return self._needs(request)


class Problem(Schema):
    """Any refusal: the value, the rule and the remedy in a sentence."""

    detail: str


class EvidenceOut(Schema):
    """The highest that a counter stood, its limit, the seconds that it counts over, and the technique of MITRE ATT&CK.

    `ordinary_most`: of the site's ordinary traffic, where it is known and packets said it.
    """

    kind: str
    value: int
    limit: int
    seconds: int
    ordinary_most: int | None
    technique: str


class IncidentOut(Schema):
    """What one offender did. `beside`: accounts or addresses that its evidence names."""

    id: int
    offender_kind: str
    offender: str
    kind: str
    severity: str
    first_at: datetime
    last_at: datetime
    ended_at: datetime | None
    robots: list[str]
    beside: list[str]
    evidence: list[EvidenceOut]
    verdict: str | None
    verdict_by: str | None
    verdict_at: datetime | None


class IncidentsOut(Schema):
    """Newest first. `next`: ask with `before` of this for the page after; null on the last."""

    incidents: list[IncidentOut]
    next: int | None


class VerdictIn(Schema):
    """What it was; `null` takes it back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"verdict": "benign_here", "scope": "team", "days": 30}})
    verdict: Literal["true", "false", "benign_here"] | None
    scope: Literal["team", "site", "robot"] | None = Field(
        None, description="Where its exceptions hold; the robots' site, if they are at one, otherwise everywhere in the organisation"
    )
    days: Annotated[int, Field(ge=1, le=90)] | None = Field(None, description="How long they hold; 7 for `false`, 90 for `benign_here`")


class ExceptionOut(Schema):
    """Evidence that is counted and kept from the inbox: `hits` incidents so far. `most`: above that it is told again."""

    id: int
    offender_kind: str
    offender: str
    kind: str
    most: int
    site: str | None
    robot_id: str | None
    reason: str
    created_at: datetime
    expires_at: datetime
    by: str
    hits: int
    last_hit_at: datetime | None


class JudgedOut(Schema):
    """The incident as it is now, and the exceptions that the verdict made."""

    incident: IncidentOut
    exceptions: list[ExceptionOut]


class LimitOut(Schema):
    """A limit as it is in force: the most that was ordinary, and from which value on it is evidence."""

    kind: str
    counter: str
    seconds: int
    ordinary_most: int | None
    limit: int


class ProfileOut(Schema):
    """The calibration of a site, or of the network of one of its robots, and what speaks against it."""

    id: int
    site: str
    robot_id: str | None
    made_at: datetime
    age_days: int
    sha256: str
    made_of: dict[str, str]
    by: str
    confirmed_at: datetime
    confirmed_by: str | None
    old: bool
    newer_robots: list[str]
    limits: list[LimitOut]


class ProfilesOut(Schema):
    """Those in force; `floors`: the limits where nobody calibrated."""

    profiles: list[ProfileOut]
    floors: list[LimitOut]


class KeptOut(Schema):
    """A calibration that was kept."""

    id: int
    site: str
    robot_id: str | None
    made_at: datetime
    sha256: str


class ShareOut(Schema):
    """`missed` of `sampled`, the share, and its 95 % interval."""

    sampled: int
    missed: int
    share: float | None
    low: float
    high: float


class JobOut(Schema):
    """A job that detection rests on."""

    name: str
    well: bool
    ended_at: datetime | None
    error: str


class SourceOut(Schema):
    """What a source noticed in 24 hours, and what of it was left out for want of room."""

    name: str
    noticed: int
    left_out: int
    last_at: datetime


class SaidOut(Schema):
    """Incidents of 90 days and what people said of them; `wrong`: the share of those judged that were false."""

    incidents: int
    true: int
    false: int
    benign_here: int
    wrong: ShareOut


class NetworkOut(Schema):
    """What screening of a robot's network probably missed in 7 days, by the limits that screened; windows are of a device and 10 s.

    `missed_windows` is the estimate, `least` and `most` its 95 % interval; `saved`: the share of windows that stayed on board.
    """

    robot_id: str
    screen: str
    cleared: int
    suspected: int
    sent: int
    saved: float | None
    missed: ShareOut
    missed_windows: float | None
    least: float
    most: float


class QualityOut(Schema):
    """Whether the detector is well, and how far it can be believed. `missed`: what screening on board probably misses, of its sample."""

    well: bool
    jobs: list[JobOut]
    sources: list[SourceOut]
    judged: SaidOut
    missed: ShareOut
    networks: list[NetworkOut]


_PROBLEMS: Final[dict[int, Any]] = {401: Problem, 403: Problem, 404: Problem, 422: Problem, 503: Problem}


def get_incidents(
    request: HttpRequest,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    before: Annotated[int | None, Query(ge=1, le=exceptions.MOST_ID)] = None,
    robot_id: Annotated[str | None, Query(min_length=3, max_length=64, pattern=r"^[^\x00]*$")] = None,
    offender: _Word = None,
    kind: _Word = None,
    severity: Literal["low", "medium", "high", "critical"] | None = None,
    state: Literal["open", "ended"] | None = None,
    verdict: Literal["none", "true", "false", "benign_here"] | None = None,
) -> dict[str, Any]:
    """Who did what to the robots of one's organisations. `robot_id`: those that this robot did; its account is the offender."""
    caller = asking(request)
    if robot_id is not None and not robots(caller, Action.ASSESS).filter(pk=robot_id).exists():
        raise Denied(404, f"robot_id {robot_id!r}: no such robot among those whose incidents you may read")
    offender = robot_id or offender
    found = queries.visible_to(caller)
    rows = queries.listed(found, before=before, limit=limit, offender=offender, kind=kind, severity=severity, state=state, verdict=verdict)
    shown = rows[:limit]
    return {"incidents": [queries.told(row, caller) for row in shown], "next": shown[-1].pk if len(rows) > limit else None}


def post_verdict(request: HttpRequest, number: _ID, said: VerdictIn) -> dict[str, Any]:
    """The last word counts. What is false, or benign here, makes an exception for each kind of its evidence against this offender."""
    caller, now = asking(request), timezone.now()
    options = {"scope": said.scope, "days": said.days}
    try:
        incident = verdicts.say(caller, number, said.verdict or "", actor=actor_of(request, caller), now=now, **options)  # type: ignore[arg-type]
    except BadVerdict as error:
        raise Denied(422, str(error)) from error
    mine = exceptions.visible_to(caller, now).filter(incident=incident)
    return {"incident": queries.told(incident, caller), "exceptions": [told(one) for one in mine[:MOST]]}


def get_profile(
    request: HttpRequest,
    site: Annotated[str | None, Query(min_length=1, max_length=50, pattern=r"^[-\w]+$")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> dict[str, Any]:
    """The newest of each site, and of each robot that has one of its own; with its age, and the limits that follow from it."""
    now = timezone.now()
    found = calibrations.in_force(asking(request), now, limit, site)
    return {"profiles": [_profile(one, now) for one in found], "floors": _limits(None)}


def post_profile(
    request: HttpRequest,
    site: Annotated[str, Query(min_length=1, max_length=50, pattern=r"^[-\w]+$")],
    robot_id: Annotated[str | None, Query(min_length=3, max_length=64, pattern=r"^[^\x00]*$")] = None,
) -> Any:
    """It is in force from now on, and is never changed: a newer one replaces it."""
    caller = asking(request)
    where = calibrations.site_of(caller, site)
    body = read_body(request, calibration.MAX_BYTES)
    try:
        row = calibrations.keep(where, robot_id or "", body, actor=actor_of(request, caller), now=timezone.now())
    except calibration.Refused as error:
        raise Denied(422, str(error)) from error
    return Status(201, {"id": row.pk, "site": where.slug, "robot_id": row.robot_id or None, "made_at": row.made_at, "sha256": row.sha256})


def get_quality(request: HttpRequest) -> dict[str, Any]:
    """Jobs, sources and what they left out, what people said of incidents, and the missed-attack estimate."""
    return asdict(quality.read(asking(request), timezone.now()))


def told(one: Any) -> dict[str, Any]:
    """An exception as the API answers it."""
    names = ("offender_kind", "offender", "most", "reason", "created_at", "expires_at", "hits", "last_hit_at")
    place = {"site": one.site.slug if one.site_id else None, "robot_id": one.robot_id or None}
    return {"id": one.pk, "kind": one.code, "by": one.by_name, **place, **{name: getattr(one, name) for name in names}}


def _profile(one: InForce, now: datetime) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.pk,
        "site": row.site.slug,
        "robot_id": row.robot_id or None,
        "made_at": row.made_at,
        "age_days": max(0, (now - row.made_at).days),
        "sha256": row.sha256,
        "made_of": row.made_of,
        "by": row.by_name,
        "confirmed_at": row.confirmed_at,
        "confirmed_by": row.confirmed_by or None,
        "old": one.old,
        "newer_robots": list(one.newer),
        "limits": _limits(row.maxima),
    }


def _limits(maxima: Any) -> list[dict[str, Any]]:
    found = []
    for rule in RULES:
        limit, most = limit_of(rule, maxima)
        found.append({"kind": rule.code, "counter": rule.counter.value, "seconds": rule.seconds, "ordinary_most": most, "limit": limit})
    return found


def make_router() -> Router:
    """A router of its own for each API: one belongs to one API alone."""
    router = Router()
    router.get("/incidents", auth=Key(), summary="Incidents, newest first", response={200: IncidentsOut, **_PROBLEMS})(get_incidents)
    router.post(
        "/incidents/{number}/verdict", auth=Key(Action.ACT), summary="Say what an incident was", response={200: JudgedOut, **_PROBLEMS}
    )(post_verdict)
    router.get("/profile", auth=Key(), summary="What is ordinary: calibrations in force", response={200: ProfilesOut, **_PROBLEMS})(
        get_profile
    )
    router.post(
        "/profile",
        auth=Key(Action.CONFIGURE),
        summary="Keep a calibration",
        response={201: KeptOut, 409: Problem, 413: Problem, **_PROBLEMS},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"type": "object", "description": "What `croody ids calibrate --out` wrote"},
                        "example": {
                            "version": 1,
                            "made_at": "2026-11-30T09:00:00+00:00",
                            "made_of": {"monday.pcap": "sha256:" + "0" * 64},
                            "maxima": {"failed_ports": {"10": 4, "60": 6}},
                        },
                    }
                },
            }
        },
    )(post_profile)
    router.get("/models", auth=Key(), summary="The models that your organisations trained", response={200: SiteModelsOut, **_PROBLEMS})(
        get_models
    )
    router.get("/quality", auth=Key(), summary="Whether the detector is well", response={200: QualityOut, **_PROBLEMS})(get_quality)
    return router

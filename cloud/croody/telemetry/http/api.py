"""The telemetry API over HTTP: the contract that robots, scripts and dashboards already speak. Knows HTTP, decides nothing.

Bodies of the hot paths are read raw and validated by the contract's structs; the rest is Ninja's.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from django.db import DataError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Query
from ninja.errors import ValidationError

from croody.accounts.caller import Caller
from croody.accounts.rules import open_to
from croody.fleet.access import Action, Needs, asking, need, visible_to
from croody.telemetry.http.admission import admit
from croody.telemetry.http.schemas import INGEST_SCHEMA, ChartOut, Detail, Health, LiveOut, RowOut, StreamOut
from croody.telemetry.ingest import services
from croody.telemetry.ingest.clock import in_utc
from croody.telemetry.read import queries
from croody.telemetry.read.chart import chart as chart_of
from croody.web.apidocs import PlainDocs
from croody.web.body import read_body
from croody.web.refusals import Denied
from croody.web.times import Time
from croody_contract import messages
from croody_contract.batch import check_size
from croody_contract.messages import Refused
from croody_contract.nesting import check_depth

_ERRORS: Final[dict[int, Any]] = {401: Detail, 403: Detail, 404: Detail, 422: Detail, 503: Detail}
_WAIT_S: Final = "1"
_EXAMPLE: Final = {"robot_id": "robot-clases", "data": {"TEMP": 21.5, "battery_pct": 80}}

api = NinjaAPI(
    title="Croody telemetry",
    version="1",
    description="Readings of robots, what became of each, and what needs a look.",
    urls_namespace="telemetry",
    docs=PlainDocs(),
)


def answer(content: Any, status: int = 200) -> HttpResponse:
    """JSON of anything that msgspec knows; what is JSON already is not copied once more."""
    body = memoryview(content) if isinstance(content, msgspec.Raw) else msgspec.json.encode(content)
    return HttpResponse(body, status=status, content_type="application/json")


@api.exception_handler(Denied)
def _denied(request: HttpRequest, error: Denied) -> HttpResponse:
    return answer({"detail": error.detail}, error.status)


@api.exception_handler(Refused)
def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
    return answer({"detail": str(error)}, 422)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    texts = (f"{'.'.join(str(part) for part in one.get('loc', ())[1:])}: {one.get('msg', '')}" for one in error.errors)
    return answer({"detail": "; ".join(texts) or "the request is not valid"}, 422)


@api.exception_handler(DataError)
def _unstorable(request: HttpRequest, error: DataError | type[DataError]) -> HttpResponse:
    return answer({"detail": "a value that no database holds, such as one with the character U+0000: send another"}, 422)


@api.exception_handler(services.HeldBack)
def _held_back(request: HttpRequest, error: services.HeldBack) -> HttpResponse:
    response = answer({"detail": str(error)}, 429)
    response["Retry-After"] = _WAIT_S
    return response


def _unavailable(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    response = answer({"detail": "the database does not answer now and nothing was done: send the same again"}, 503)
    response["Retry-After"] = _WAIT_S
    return response


for _gone in (OperationalError, InterfaceError, InternalError):
    api.add_exception_handler(_gone, _unavailable)


RobotParam = Annotated[str, Query(min_length=1, max_length=64, description="A robot's id")]
LastRobotParam = Annotated[str | None, Query(min_length=1, max_length=64, description="A robot's id; all that you may see without it")]
OptionalRobotParam = Annotated[str | None, Query(max_length=64, description="A robot's id; all that you may see without it")]


@api.get("/healthz", response=Health, summary="Say that this process answers", tags=["health"])
@open_to("anybody")
def healthz(request: HttpRequest) -> HttpResponse:
    """No key, no database."""
    return answer({"status": "ok"})


@api.post(
    "/ingest",
    auth=Needs(Action.WRITE),
    response={201: RowOut, 413: Detail, 429: Detail, **_ERRORS},
    summary="Store one reading",
    tags=["readings"],
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": INGEST_SCHEMA, "example": _EXAMPLE}}}},
)
def ingest(request: HttpRequest) -> HttpResponse:
    """At least once: a repeat is a second row. Robots that must not lose anything speak MQTT through the agent."""
    body = read_body(request)
    check_depth(body)
    try:
        check_size(body)
    except Refused as why:
        raise Denied(413, str(why)) from why
    telemetry = messages.decode_telemetry(body)
    robot_id = telemetry.robot_id
    if robot_id is None:
        raise Refused("bad_value", "robot_id: missing: say which robot this is, in 3 to 64 characters")
    if not robot_id.isprintable():
        raise Refused("bad_value", "robot_id: holds characters that cannot be shown: use printable ones")
    admit(asking(request), robot_id)
    return answer(services.ingest_one(telemetry, robot_id, "http", now=datetime.now(UTC)), 201)


@api.get("/last", auth=Needs(Action.SEE), response={200: RowOut, **_ERRORS}, summary="The newest reading", tags=["readings"])
def last(request: HttpRequest, robot_id: LastRobotParam = None) -> HttpResponse:
    """Of one robot, or of all that you may see. 404 when there is none."""
    if robot_id is None:
        row = queries.last_of_all(_wanted(asking(request), None))
    else:
        row = queries.last(need(asking(request), Action.SEE, robot_id).pk)
    if row is None:
        raise Denied(
            404, f"robot_id: {robot_id} has sent no reading yet" if robot_id else "no robot that you may see has sent a reading yet"
        )
    return answer(row)


@api.get("/query", auth=Needs(Action.SEE), response={200: list[RowOut], **_ERRORS}, summary="Readings, newest first", tags=["readings"])
def query(
    request: HttpRequest,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    robot_id: OptionalRobotParam = None,
    before: Annotated[str, Query(max_length=4096, description="Where the page before ended, from its `Link` header")] = "",
) -> HttpResponse:
    """Of one robot, or of all that you may see; at most 4 MiB. Where there is more, `Link` names the next page."""
    page = queries.query(_wanted(asking(request), robot_id), limit, before)
    response = answer(page.rows)
    if page.cursor:
        asked = {"limit": limit, "before": page.cursor} | ({"robot_id": robot_id} if robot_id is not None else {})
        response["Link"] = f'<{request.path}?{urlencode(asked)}>; rel="next"'
    return response


@api.get(
    "/live", auth=Needs(Action.SEE), response={200: LiveOut, **_ERRORS}, summary="Every robot's newest reading and trail", tags=["readings"]
)
def live(request: HttpRequest, limit_per_robot: Annotated[int, Query(ge=1, le=100)] = 20) -> HttpResponse:
    """Every robot is there, whatever the others send."""
    return answer(queries.live(_wanted(asking(request), None), limit_per_robot, now=datetime.now(UTC)))


@api.get(
    "/streams",
    auth=Needs(Action.SEE),
    response={200: list[StreamOut], **_ERRORS},
    summary="What is stored, missing, dropped, dead",
    tags=["delivery"],
)
def streams(request: HttpRequest, robot_id: OptionalRobotParam = None) -> HttpResponse:
    """One a stream, in each robot's order."""
    return answer(queries.streams_told(_wanted(asking(request), robot_id)))


@api.get("/chart", auth=Needs(Action.SEE), response={200: ChartOut, **_ERRORS}, summary="A metric over time, in buckets", tags=["readings"])
def chart(
    request: HttpRequest,
    robot_id: RobotParam,
    metric: Annotated[str, Query(min_length=1, max_length=64)],
    start: Time,
    end: Time,
    buckets: Annotated[int, Query(ge=1, le=1200)] = 400,
) -> HttpResponse:
    """Mean, least and greatest a bucket; also of days whose single readings are gone."""
    need(asking(request), Action.SEE, robot_id)
    start, end = in_utc(start, "start"), in_utc(end, "end")
    if start >= end:
        raise Refused("bad_value", f"start: {start.isoformat()} is not before end {end.isoformat()}")
    if "\x00" in metric:
        raise Refused("nul", "metric: holds the character U+0000")
    return answer(chart_of(robot_id, metric, start, end, buckets, now=datetime.now(UTC)))


def _wanted(caller: Caller, robot_id: str | None) -> list[str]:
    if robot_id is not None:
        return [need(caller, Action.SEE, robot_id).pk]
    return list(visible_to(caller).values_list("robot_id", flat=True))

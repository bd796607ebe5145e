"""The IDS API over HTTP. Thin: who may call is `fleet.access`, what a body must be is `rows`, what comes out is `predict`."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import NinjaAPI, Query
from ninja.errors import ValidationError

from croody.accounts.rules import open_to
from croody.detection.incidents import api as incidents
from croody.detection.incidents.api import Key
from croody.detection.nslkdd.model import Holder, Unavailable
from croody.detection.nslkdd.predict import predict
from croody.detection.nslkdd.rows import MAX_BYTES, BadRequest
from croody.detection.nslkdd.schemas import REQUEST, Health, ModelOut, PredictOut, Problem, VerdictsOut
from croody.detection.windows import queries
from croody.fleet.access import Action, asking, robots
from croody.web.apidocs import PlainDocs
from croody.web.body import read_body
from croody.web.refusals import Denied

#: Of the card; `parameters` and the like stay in the file.
_SHOWN: Final = ("name", "version", "data", "protocol", "threshold", "calibration", "metrics", "features", "limits")


def make_api(holder: Holder) -> NinjaAPI:
    """The API with its model."""
    api = NinjaAPI(
        title="Croody IDS API",
        version="1.0.0",
        description="Says whether a connection, described by NSL-KDD's features, looks like an attack, and what was noticed about robots.",
        docs=PlainDocs(),
        urls_namespace="ids-api",
    )
    key = Key()

    @api.exception_handler(Denied)
    def denied(request: HttpRequest, error: Denied) -> HttpResponse:
        return _problem(error.status, error.detail)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        texts = (f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors)
        return _problem(422, "; ".join(texts))

    def gone(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
        return _problem(503, "the database does not answer now: send the same again")

    for kind in (OperationalError, InterfaceError, InternalError):
        api.add_exception_handler(kind, gone)

    @api.get("/healthz", response=Health, summary="Say that this process answers")
    @open_to("anybody")
    def healthz(request: HttpRequest) -> dict[str, str]:
        """With or without a model."""
        return {"status": "ok"}

    @api.post(
        "/predict",
        auth=key,
        summary="Judge connections",
        by_alias=True,
        response={200: PredictOut, 400: Problem, 401: Problem, 403: Problem, 413: Problem, 422: Problem, 503: Problem},
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": REQUEST}}}},
    )
    def post_predict(request: HttpRequest) -> HttpResponse:
        """Missing features are filled in and counted, unknown ones ignored and named."""
        try:
            return HttpResponse(predict(holder.get(), read_body(request, MAX_BYTES)), content_type="application/json")
        except BadRequest as error:
            return _problem(422, str(error))
        except Unavailable as error:
            return _problem(503, str(error))

    @api.get("/model", auth=key, summary="The model at work", response={200: ModelOut, 401: Problem, 403: Problem, 503: Problem})
    def get_model(request: HttpRequest) -> dict[str, Any]:
        """The model's card; while there is no model, why."""
        try:
            model = holder.get()
        except Unavailable as error:
            nothing: dict[str, Any] = dict.fromkeys((*_SHOWN, "sha256"))
            return {**nothing, "path": None, "available": False, "why": str(error)}
        card = {name: model.card.get(name) for name in _SHOWN}
        return {**card, "sha256": model.card["files"], "path": str(model.path), "available": True, "why": None}

    @api.get(
        "/verdicts",
        auth=key,
        summary="Verdicts on robots' windows, newest first",
        response={200: VerdictsOut, 401: Problem, 403: Problem, 404: Problem, 422: Problem, 503: Problem},
    )
    def get_verdicts(
        request: HttpRequest,
        robot_id: Annotated[str | None, Query(min_length=3, max_length=64, pattern=r"^[^\x00]*$")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Any:
        """What the cloud made of the windows that robots sent up as suspect, and what screening probably misses."""
        seen = robots(asking(request), Action.ASSESS)
        if robot_id is not None and not seen.filter(pk=robot_id).exists():
            return _problem(404, f"robot_id {robot_id!r}: no such robot among those whose verdicts you may read")
        since = timezone.now() - queries.MISSED_OVER
        return {"verdicts": queries.latest(seen, robot_id, limit), "missed": asdict(queries.missed(seen, robot_id, since))}

    api.add_router("", incidents.make_router())
    return api


def _problem(status: int, detail: str) -> HttpResponse:
    return JsonResponse({"detail": detail}, status=status)

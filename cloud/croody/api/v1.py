"""The API itself: what it is called, how it refuses, and which routers it has. Each subject is a module beside this one."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import override
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from croody.api import alarms, audit, deliveries, enrol, errors, events, exports, fleet, robot_changes, robot_lifecycle, series, tokens
from croody.api.authentication import SCHEMES
from croody.api.errors import Conflict, Wrong
from croody.web.apidocs import PlainDocs
from croody.web.language import split
from croody.web.refusals import Denied
from croody_contract.messages import Refused

_ABOUT: Final = (
    "Everything that the console shows and does, for programs. Lists have pages: `next` is the `cursor` of the page that follows, null on "
    "the last one. Times are ISO 8601 with their offset. Every refusal is a Problem."
)


class Api(NinjaAPI):
    """Ninja's, whose description says that each operation takes any of the keys, and where it is in no language."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The description."""
        schema = super().get_openapi_schema(**options)
        schema.get("components", {})["securitySchemes"] = SCHEMES
        for methods in schema["paths"].values():
            for operation in methods.values():
                if operation.get("security"):
                    operation["security"] = [{name: []} for name in SCHEMES]
        return schema

    def get_root_path(self, path_params: dict[str, Any]) -> str:
        """Where it is, in no language: an operation has one address, whoever reads of it."""
        return split(super().get_root_path(path_params))[1]

    def create_response(self, request: HttpRequest, data: Any, **options: Any) -> HttpResponse:
        """An answer, in the language of this API."""
        response = super().create_response(request, data, **options)
        response["Content-Language"] = "en"
        return response


def _in_english(view: Callable[..., Any]) -> Callable[..., Any]:
    """What services say is for programs here, in whatever language a browser asks."""

    @wraps(view)
    def spoken(*arguments: Any, **options: Any) -> Any:
        with override("en"):
            return view(*arguments, **options)

    return spoken


api = Api(title="Croody", version="1", description=_ABOUT, urls_namespace="v1", docs=PlainDocs())
api.exception_handler(Denied)(errors.denied)
api.exception_handler(Refused)(errors.refused)
api.exception_handler(Wrong)(errors.wrong)
api.exception_handler(Conflict)(errors.conflict)
api.add_decorator(_in_english)
api.exception_handler(ValidationError)(errors.invalid)
api.exception_handler(HttpError)(errors.unreadable)
api.add_exception_handler(DataError, errors.unstorable)
api.add_exception_handler(RequestDataTooBig, errors.too_large)
for _gone in (OperationalError, InterfaceError, InternalError):
    api.add_exception_handler(_gone, errors.unavailable)

_SUBJECTS: Final = (fleet, robot_changes, robot_lifecycle, series, events, alarms, deliveries, tokens, audit, exports, enrol)
for _router in dict.fromkeys(_subject.router for _subject in _SUBJECTS):
    api.add_router("", _router)


def nothing_here(request: HttpRequest, rest: str = "") -> HttpResponse:
    """404 for every other address below it, in this API's own shape."""
    detail = f"there is nothing at {request.path[:200]}: see /api/v1/docs"
    return errors.refusal(404, errors.problem(404, detail))

"""What `/api/v1/` answers when it refuses: always the same shape, with what was wrong as values. Knows no subject."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Schema
from ninja.errors import HttpError, ValidationError
from pydantic import ConfigDict

from croody.web.refusals import Denied
from croody_contract.messages import Refused

#: Status -> code, where whoever refuses says none.
CODES: Final = {
    400: "unreadable",
    401: "no_key",
    403: "forbidden",
    404: "not_found",
    405: "wrong_method",
    409: "conflict",
    413: "too_large",
    422: "bad_value",
    429: "too_many",
    500: "failed",
    503: "away",
}
_LONGEST: Final = 200
_FIELD: Final = re.compile(r"([a-z][a-z_]*(?:, [a-z][a-z_]*)*|X-API-Key): ", re.IGNORECASE)
#: What pydantic found -> the rule and what to do, with the limit in its place.
_RULES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("it is needed", "send it"),
    "extra_forbidden": ("it is not known here", "leave it out"),
    "greater_than_equal": ("{ge} at least", "send {ge} or more"),
    "less_than_equal": ("{le} at most", "send {le} or less"),
    "string_too_short": ("{min_length} characters at least", "send a longer one"),
    "string_too_long": ("{max_length} characters at most", "send a shorter one"),
    "too_short": ("{min_length} of them at least", "send more"),
    "too_long": ("{max_length} of them at most", "send fewer at a time"),
    "literal_error": ("one of {expected}", "send one of them"),
    "enum": ("one of {expected}", "send one of them"),
    "unix_time": ("a time with its offset, no unix time", "write it as 2026-11-24T10:00:00Z"),
    "timezone_aware": ("a time with its offset", "write it as 2026-11-24T10:00:00Z"),
}


class Problem(Schema):
    """Every refusal. `code` is for programs; `detail` says all of it in a sentence: the value, the rule and the remedy.

    `field`, `value`, `rule` and `remedy` are null where there is none.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": "bad_value",
                "detail": "limit: '9000': 200 at most: send 200 or less",
                "field": "limit",
                "value": "9000",
                "rule": "200 at most",
                "remedy": "send 200 or less",
            }
        }
    )

    code: str
    detail: str
    field: str | None = None
    value: str | None = None
    rule: str | None = None
    remedy: str | None = None


#: What every operation may answer beside what was asked for.
ERRORS: Final[dict[int, Any]] = {400: Problem, 401: Problem, 403: Problem, 422: Problem, 429: Problem, 503: Problem}


class Wrong(Exception):
    """A refusal with its parts."""

    def __init__(self, field: str, value: object, rule: str, remedy: str, *, status: int = 422, code: str = "") -> None:
        self.status, self.code = status, code or CODES[status]
        self.field, self.value, self.rule, self.remedy = field, str(value)[:_LONGEST], rule, remedy
        super().__init__(f"{field}: {self.value!r}: {rule}: {remedy}")

    @classmethod
    def said(cls, detail: str, code: str = "") -> "Wrong":
        """Of a service, which says all of it in one sentence."""
        made = cls("", "", "", "", code=code)
        made.args = (detail,)
        return made

    def body(self) -> dict[str, Any]:
        """As a `Problem`."""
        found = {name: getattr(self, name) or None for name in ("code", "field", "value", "rule", "remedy")}
        return found | {"detail": str(self)}


class Conflict(Exception):
    """What was asked does not fit what is there now: 409, with a code of its own."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code


def problem(status: int, detail: str, code: str = "") -> dict[str, Any]:
    """A refusal of a room below, which has its parts in one sentence: `field: what: remedy`."""
    field = _FIELD.match(detail)
    none: dict[str, Any] = dict.fromkeys(("value", "rule", "remedy"))
    return {"code": code or CODES.get(status, "refused"), "detail": detail, "field": field[1] if field else None, **none}


def refusal(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The response."""
    told = {"Content-Language": "en", **(headers or {})}
    return HttpResponse(msgspec.json.encode(body), status=status, content_type="application/json", headers=told)


def denied(request: HttpRequest, error: Denied) -> HttpResponse:
    """Who asks may not."""
    return refusal(error.status, problem(error.status, error.detail))


def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """A value that the contract does not take."""
    return refusal(422, problem(422, str(error), error.reason))


def conflict(request: HttpRequest, error: Conflict) -> HttpResponse:
    """Somebody was first, or it cannot be done any more."""
    return refusal(409, problem(409, str(error), error.code))


def wrong(request: HttpRequest, error: Wrong) -> HttpResponse:
    """A value that this API does not take."""
    return refusal(error.status, error.body(), {"Retry-After": "1"} if error.status == 429 else None)


def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A value of the wrong kind: the first one, as there is one remedy at a time."""
    first = error.errors[0] if error.errors else {}
    field = ".".join(str(part) for part in first.get("loc", ())[1:]) or "body"
    rule, remedy = _RULES.get(first.get("type", ""), (first.get("msg", "not what is expected"), "see /api/v1/docs"))
    limits = first.get("ctx", {})
    return wrong(request, Wrong(field, _sent(request, first.get("loc", ())), rule.format_map(limits), remedy.format_map(limits)))


def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """A body that is no JSON."""
    return wrong(request, Wrong("body", "not JSON", "one JSON object", "send it as JSON", status=error.status_code))


def too_large(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """A body that is not read to its end."""
    return wrong(request, Wrong("body", "too long", "1 MiB at most", "send it in parts", status=413))


def unstorable(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """What no database holds."""
    return refusal(422, problem(422, "a value that no database holds, such as one with the character U+0000: send another"))


def unavailable(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The database is away."""
    detail = "the database does not answer now and nothing was done: send the same again"
    return refusal(503, problem(503, detail), {"Retry-After": "1"})


def _sent(request: HttpRequest, where: Sequence[object]) -> str:
    """What was sent for a parameter of the address; empty for a part of a body, and for what is missing."""
    place, *rest = (str(part) for part in where) if where else ("",)
    name = rest[0] if rest else ""
    if place == "query":
        return ", ".join(request.GET.getlist(name))
    kwargs = request.resolver_match.kwargs if request.resolver_match else {}
    return str(kwargs.get(name, "")) if place == "path" else ""

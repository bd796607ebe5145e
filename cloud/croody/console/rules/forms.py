"""What the forms of rules and channels hold before somebody writes into them. Knows requests; saves nothing."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import get_language

from croody.accounts.preferences import look, zone_of
from croody.notices import spec
from croody.notices.models import Channel, Rule
from croody.web import decimals

_LONGEST: Final = 4000


def as_they_read(request: HttpRequest) -> dict[str, Any]:
    """What a new channel begins with: the language and the zone of who makes it."""
    return {"language": get_language() or "es", "time_zone": zone_of(request)}


def asks_browser(request: HttpRequest, row: Channel | None) -> bool:
    """Whether a script may name the zone: nobody chose one yet, neither for this channel nor for all pages."""
    return row is None and request.method == "GET" and not look(request)["look"].zone


def given(request: HttpRequest, row: Any, shape: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """What the form holds: what was sent, else what is saved, else what the address says."""
    if request.method == "POST":
        sent: dict[str, Any] = {name: value[:_LONGEST] for name, value in request.POST.items()}
        return sent | {name: "on" if sent.get(name) else "off" for name in ("enabled", "tells_end")}
    if row is not None:
        return shape(row)
    asked = {name: request.GET.get(name, "")[:64] for name in ("kind", "site")}
    return {**asked, "severity": "medium", "enabled": "on", "tells_end": "on", "for_s": "0", "after_min": "0"}


def as_form(row: Rule) -> dict[str, Any]:
    """A rule, field by field."""
    params: Mapping[str, Any] = row.params
    points = "; ".join(f"{_metres(x)}, {_metres(y)}" for x, y in params.get("points", ()))
    numbers = {name: decimals.written(decimals.stored(params[name])) for name in spec.NAMES if params.get(name) not in (None, "")}
    place = {"site": str(row.site_id or ""), "robot_id": row.robot_id, "enabled": "on" if row.enabled else "off"}
    return {**params, **numbers, "points": points, "name": row.name, "severity": row.severity, "for_s": str(row.for_s), **place}


def _metres(value: float) -> str:
    """Every digit of it: what a form shows is what it saves."""
    return repr(value).removesuffix(".0")


def as_channel_form(row: Channel) -> dict[str, Any]:
    """A channel, field by field; never an address that may hold a token."""
    names = ("name", "severity", "after_min", "quiet_from", "quiet_to", "time_zone", "language")
    target = row.target if row.kind == Channel.Kind.MAIL else ""
    ticks = {name: "on" if getattr(row, name) else "off" for name in ("enabled", "tells_end")}
    return {**{name: getattr(row, name) for name in names}, "target": target, **ticks}

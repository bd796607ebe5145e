"""Lines of the log by which one request is found again: whose they are, what they hide, and when there is none."""

import asyncio
import io
import logging
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string

from croody.serve import access_log
from croody.serve import access_log_asgi as access
from croody.web.request_id import remember_request_id

ID = "0123456789abcdef0123456789abcdef"


def scope(path: str, **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "GET", "path": path, "headers": named, "client": ("10.0.0.9", 5)}


def test_a_line_of_the_web_names_the_client_of_the_gateway_and_its_id(settings: Any):
    assert access.line(scope("/", x_forwarded_for="203.0.113.7"), 200, 0.0).startswith("10.0.0.9 "), "a header that anybody sends"
    settings.ENV = replace(settings.ENV, trusted_proxies=(ip_network("10.0.0.0/8"),))
    told = access.line(scope("/robots/monitor/", x_forwarded_for="203.0.113.7", x_request_id=ID), 200, 0.0123)

    assert told == f"203.0.113.7 GET /robots/monitor/ 200 12ms request_id={ID}"
    assert access.line(scope("/"), 200, 0.0) == "10.0.0.9 GET / 200 0ms request_id=-"


@pytest.mark.parametrize("path", ["/cuenta/entrar/THE-SECRET/", "/en/cuenta/entrar/THE-SECRET/", "/cuenta/entrar/THE-SECRET"])
def test_a_one_time_login_never_stands_in_the_log(path: str):
    assert "THE-SECRET" not in access.line(scope(path), 200, 0.0)
    assert "/cuenta/entrar/..." in access.line(scope(path), 200, 0.0)


def test_what_is_well_and_repeats_itself_leaves_no_line():
    assert access.is_quiet("/healthz", 200)
    assert access.is_quiet("/static/web/page.js", 304)
    assert not access.is_quiet("/healthz", 503)
    assert not access.is_quiet("/robots/monitor/", 200)


def test_a_trace_shows_what_the_bridge_relays_and_not_that_it_asks():
    tracing = access_log.TracingAccessLog.quiet
    assert not access_log.is_quiet("/api/telemetry/bridge/relay", 200, tracing)
    assert access_log.is_quiet("/api/telemetry/bridge/outgoing", 200, tracing)
    assert access_log.is_quiet("/healthz", 200, tracing)


def as_configured(handler: logging.Handler) -> logging.Handler:
    """The handler with the filters and the format that the settings give to their own."""
    for name in settings.LOGGING["handlers"]["out"]["filters"]:
        handler.addFilter(import_string(settings.LOGGING["filters"][name]["()"])())
    handler.setFormatter(logging.Formatter(settings.LOGGING["formatters"]["line"]["format"]))
    return handler


def test_a_refused_form_does_not_tell_the_login_that_it_was_for():
    text = io.StringIO()
    handler = as_configured(logging.StreamHandler(text))
    log = logging.getLogger("django.security.csrf")
    log.addHandler(handler)
    try:
        refused = Client(enforce_csrf_checks=True).post("/cuenta/entrar/THE-SECRET/")
    finally:
        log.removeHandler(handler)

    assert refused.status_code == 403
    assert "/cuenta/entrar/.../" in text.getvalue()
    assert "THE-SECRET" not in text.getvalue()


def logged(request_id: str, *, later: bool = False) -> str:
    """What the log holds of a line that a view writes, as the settings format it."""
    records: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(self.format(record))

    kept = as_configured(Kept())
    log = logging.getLogger("tests.request_id")
    log.addHandler(kept)
    request = RequestFactory().get("/", headers={"X-Request-ID": request_id} if request_id else {})

    def view(request: HttpRequest) -> HttpResponse:
        log.warning("something is odd")
        return HttpResponse()

    async def view_later(request: HttpRequest) -> HttpResponse:
        return view(request)

    try:
        if later:
            asyncio.run(remember_request_id(view_later)(request))  # type: ignore[arg-type]
        else:
            remember_request_id(view)(request)
    finally:
        log.removeHandler(kept)
    return records[0]


@pytest.mark.parametrize("later", [False, True])
def test_whatever_is_logged_while_a_request_is_answered_has_its_id(later: bool):
    assert logged(ID, later=later).endswith(f"something is odd request_id={ID}")
    assert logged("", later=later).endswith("something is odd")


def test_nobody_writes_into_the_log_by_way_of_the_id():
    assert logged("x ERROR croody all is lost").endswith("something is odd")
    assert "request_id=-" in access.line(scope("/", x_request_id="a b"), 200, 0.0)


def test_every_role_remembers_the_id_before_anything_else():
    assert settings.MIDDLEWARE[0] == "croody.web.request_id.remember_request_id"
    assert settings.LOGGING["handlers"]["out"]["filters"] == ["request_id", "logins", "tracebacks"]

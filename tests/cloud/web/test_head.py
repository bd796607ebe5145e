"""`curl -I` works wherever `curl` does, and says the same."""

import dataclasses
from typing import Any

import pytest
from django.test import AsyncClient, Client

from croody.settings import _API_MIDDLEWARE


@pytest.mark.parametrize("path", ["/", "/estado/", "/robots/monitor/", "/cuenta/acceder/", "/healthz", "/health/", "/nada/"])
@pytest.mark.django_db(databases="__all__")
def test_a_page_answers_head_as_it_answers_get(path: str):
    client = Client()
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head["Content-Type"], head.content) == (got.status_code, got["Content-Type"], b"")
    assert head["Content-Security-Policy"] == got["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("telemetry", "/healthz"),
        ("telemetry", "/api/telemetry/healthz"),
        ("telemetry", "/api/telemetry/last?robot_id=nobody"),
        ("telemetry", "/api/telemetry/query"),
        ("telemetry", "/api/telemetry/live"),
        ("telemetry", "/api/telemetry/streams"),
        ("telemetry", "/api/telemetry/docs"),
        ("telemetry", "/api/telemetry/openapi.json"),
        ("ids", "/api/ids/model"),
        ("ids", "/healthz"),
    ],
)
@pytest.mark.django_db(databases="__all__")
def test_an_api_answers_head_as_it_answers_get(settings: Any, role: str, path: str):
    settings.ROOT_URLCONF, settings.MIDDLEWARE = f"croody.serve.urls.{role}", _API_MIDDLEWARE
    settings.ENV = dataclasses.replace(settings.ENV, role=role)
    client = Client()
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head["Content-Type"], head.content) == (got.status_code, got["Content-Type"], b"")


def test_what_takes_only_post_refuses_head_too(settings: Any):
    settings.ROOT_URLCONF, settings.MIDDLEWARE = "croody.serve.urls.telemetry", _API_MIDDLEWARE
    assert Client().head("/api/telemetry/ingest").status_code == 405


@pytest.mark.django_db(databases="__all__", transaction=True)
async def test_a_stream_answers_head_and_ends():
    head = await AsyncClient().head("/api/telemetry/stream")
    assert (head.status_code, head["Content-Type"], head.content) == (200, "text/event-stream; charset=utf-8", b"")


@pytest.mark.parametrize("path", ["/", "/cuenta/acceder/", "/admin/login/", "/cuenta/perfil/", "/nada/", "/favicon.ico", "/healthz"])
@pytest.mark.django_db(databases="__all__")
def test_no_cache_keeps_a_page(path: str):
    assert "no-store" in Client().get(path)["Cache-Control"]


@pytest.mark.parametrize("path", ["last?robot_id=nobody", "query", "live", "streams", "alarms", "dead-letters", "openapi.json"])
@pytest.mark.django_db(databases="__all__")
def test_no_cache_keeps_what_an_api_answers(settings: Any, path: str):
    """Who asks is said by a header, which no cache looks at."""
    settings.ROOT_URLCONF, settings.MIDDLEWARE = "croody.serve.urls.telemetry", _API_MIDDLEWARE
    settings.ENV = dataclasses.replace(settings.ENV, role="telemetry")
    assert Client().get(f"/api/telemetry/{path}")["Cache-Control"] == "no-store"


def test_a_file_says_for_itself_how_long_it_may_be_kept():
    assert "max-age" in Client().get("/static/web/theme.js")["Cache-Control"]

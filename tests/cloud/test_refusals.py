"""What an API answers where nobody worded a refusal: always JSON, whichever role is asked."""

import dataclasses
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from croody.settings import _API_MIDDLEWARE
from croody.web.refusals import speak_json


def role(name: str, settings: Any) -> Client:
    settings.ROOT_URLCONF = f"croody.serve.urls.{name}"
    settings.ENV = dataclasses.replace(settings.ENV, role=name)
    if name != "web":
        settings.MIDDLEWARE = _API_MIDDLEWARE
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("name", "method", "path", "allowed"),
    [
        ("telemetry", "GET", "/api/telemetry/ingest", "POST"),
        ("telemetry", "DELETE", "/api/telemetry/last", "GET"),
        ("telemetry", "OPTIONS", "/api/telemetry/streams", "GET"),
        ("ids", "GET", "/api/ids/predict", "POST"),
        ("web", "POST", "/api/telemetry/stream", "GET"),
        ("web", "PUT", "/en/api/telemetry/stream", "GET"),
    ],
)
def test_a_wrong_method_is_told_which_one_is_right(settings: Any, name: str, method: str, path: str, allowed: str):
    response = role(name, settings).generic(method, path, b"{}", content_type="application/json")
    assert (response.status_code, response["Content-Type"], response["Allow"]) == (405, "application/json", allowed)
    assert response.json() == {"detail": f"{path} does not take {method}: use {allowed}"}
    assert int(response.get("Content-Length", len(response.content))) == len(response.content)


@pytest.mark.parametrize(
    ("name", "path", "docs"),
    [
        ("telemetry", "/api/telemetry/nothing", "/api/telemetry/docs"),
        ("telemetry", "/nothing", "/api/telemetry/docs"),
        ("ids", "/api/ids/nothing/", "/api/ids/docs"),
        ("web", "/api/nothing", "/api/telemetry/docs and /api/ids/docs"),
        ("web", "/api/telemetry/ingest", "/api/telemetry/docs and /api/ids/docs"),
    ],
)
def test_an_address_that_is_not_there_names_where_the_api_is_described(db: None, settings: Any, name: str, path: str, docs: str):
    response = role(name, settings).get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    assert response.json() == {"detail": f"there is nothing at {path}: see {docs}"}


@pytest.mark.parametrize("name", ["telemetry", "ids", "web"])
def test_a_host_that_is_not_ours_is_told_so(settings: Any, name: str):
    response = role(name, settings).get("/api/telemetry/last", headers={"Host": "evil.example"})
    # The API roles look at no Host where nothing is made of it.
    assert response["Content-Type"].startswith("application/json")
    assert "detail" in response.json()


def test_a_failure_says_where_to_look_and_nothing_of_itself():
    broken = speak_json(lambda request: HttpResponse("<h1>secret</h1>", status=500))
    response = broken(RequestFactory().get("/api/telemetry/last"))
    assert response.content == b'{"detail": "something failed here; the log says what"}'  # type: ignore[union-attr]


async def test_the_web_answers_alike_when_it_serves_many_at_once(settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    response = await AsyncClient().post("/api/telemetry/stream")
    assert (response.status_code, response["Allow"]) == (405, "GET")
    assert response.json()["detail"].endswith("use GET")


def test_a_page_for_people_stays_a_page(db: None, settings: Any):
    response = role("web", settings).get("/nada/")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")

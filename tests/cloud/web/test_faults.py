"""What somebody reads when there is nothing to show, or when something broke: in their language, with a way out."""

import re

import pytest
from django.db import OperationalError, connection
from django.test import Client

#: What the gateway, or nobody, gave the request.
IDS = [({}, r"[0-9a-f]{32}"), ({"X-Request-ID": "from-the-gateway"}, "from-the-gateway"), ({"X-Request-ID": "<b>"}, r"[0-9a-f]{32}")]
LANGUAGES = [("", {}, "es"), ("/en", {}, "en"), ("", {"Accept-Language": "en"}, "en")]


def told(answer, language: str, head: str) -> str:
    text = answer.content.decode()
    assert f'<html lang="{language}"' in text
    assert f"<h1>{head}</h1>" in text
    assert f'href="{"/en" if language == "en" else ""}/robots/monitor/"' in text
    assert "web/base.css" in text
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    return text


@pytest.mark.django_db
@pytest.mark.parametrize(("headers", "shown"), IDS)
@pytest.mark.parametrize(("prefix", "asks", "language"), LANGUAGES)
def test_a_page_that_is_not_there_shows_a_way_out_and_the_requests_id(prefix, asks, language, headers, shown):
    answer = Client().get(f"{prefix}/nada/", headers={**headers, **asks})
    head = {"es": "Aquí no hay ninguna página", "en": "There is no page here"}[language]
    assert answer.status_code == 404
    text = told(answer, language, head)
    assert re.search(f"<code>{shown}</code>", text)


@pytest.mark.parametrize(("headers", "shown"), IDS)
@pytest.mark.parametrize(("prefix", "asks", "language"), LANGUAGES)
def test_a_failure_is_a_page_also_while_the_database_is_away(prefix, asks, language, headers, shown, settings):
    """No test that has not asked for the database may touch it: who tries gets an error, as from one that is away."""
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    answer = client.get(f"{prefix}/cuenta/perfil/", headers={**headers, **asks})
    head = {"es": "Croody no pudo responder", "en": "Croody could not answer"}[language]
    assert answer.status_code == 500
    text = told(answer, language, head)
    assert re.search(f"<code>{shown}</code>", text)


def _away(*_: object) -> None:
    raise OperationalError("the server closed the connection unexpectedly")


@pytest.mark.django_db
def test_a_page_that_is_not_there_is_not_there_while_the_database_is_away_either(settings):
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    with connection.execute_wrapper(_away):
        answer = client.get("/nada/")
    assert answer.status_code == 404
    told(answer, "es", "Aquí no hay ninguna página")


def test_the_line_in_the_log_has_the_id_that_the_page_shows(caplog, settings):
    from croody.web.request_id import WithRequestId

    caplog.handler.addFilter(WithRequestId())
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    answer = client.get("/cuenta/perfil/")
    ids = {record.request_id.strip().removeprefix("request_id=") for record in caplog.records if record.name == "django.request"}
    assert len(ids) == 1
    assert f"<code>{ids.pop()}</code>" in answer.content.decode()


@pytest.mark.parametrize(("prefix", "head"), [("", "Esta petición no se entiende"), ("/en", "This request makes no sense here")])
def test_a_name_that_is_not_ours_gets_a_page_that_says_so(prefix, head):
    answer = Client(SERVER_NAME="elsewhere.example").get(f"{prefix}/estado/")
    assert answer.status_code == 400
    assert f"<h1>{head}</h1>" in answer.content.decode()


@pytest.mark.django_db
def test_an_address_of_any_length_and_any_letters_is_told_shortly(client):
    answer = client.get("/" + "<script>" * 400 + "/")
    text = answer.content.decode()
    assert answer.status_code == 404
    assert "<script><script>" not in text
    assert len(text) < 20_000


def test_an_api_answers_a_program_and_no_reader(settings):
    client = Client(raise_request_exception=False)
    answer = client.get("/api/nothing")
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])

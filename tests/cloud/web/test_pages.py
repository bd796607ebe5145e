"""Every page: its addresses in both languages, its headers, and what it must not say."""

import re

import pytest
from django.test import Client

from croody.web.language import split

pytestmark = pytest.mark.django_db(databases="__all__")

OPEN = ["/", "/estado/", "/robots/monitor/", "/cuenta/acceder/", "/cuenta/registro/", "/admin/login/"]
MISSING = ["/nada/", "/tienda/", "/cuenta/entrar/abc/"]
PREFIXES = [("", "es"), ("/es", "es"), ("/en", "en")]


@pytest.mark.parametrize(("prefix", "language"), PREFIXES)
@pytest.mark.parametrize("path", OPEN)
def test_a_page_has_an_address_in_each_language_and_one_without(client, path, prefix, language):
    answer = client.get(prefix + path)
    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == language
    assert re.search(rf'<html[^>]*lang="{language}', answer.content.decode())


def test_an_address_without_prefix_is_spanish_whatever_the_browser_says(client):
    answer = client.get("/robots/monitor/", headers={"Accept-Language": "en-GB,en"})
    assert "Todavía no hay robots aquí" in answer.content.decode()


def test_english_links_stay_english(client):
    text = client.get("/en/").content.decode()
    assert 'href="/en/robots/monitor/"' in text
    assert 'href="/en/cuenta/acceder/"' in text
    assert 'href="/robots/monitor/"' not in text


def test_the_language_switch_keeps_the_page_and_its_query(client):
    assert 'href="/en/robots/monitor/?sitio=bodega&amp;pagina=2"' in client.get("/robots/monitor/?sitio=bodega&pagina=2").content.decode()
    assert 'href="/es/robots/monitor/?sitio=bodega"' in client.get("/en/robots/monitor/?sitio=bodega").content.decode()


def test_an_address_that_lacks_its_last_slash_finds_its_page(client):
    assert client.get("/en").headers["Location"] == "/en/"
    assert client.get("/en?a=1").headers["Location"] == "/en/?a=1"
    assert client.get("/en/robots/monitor").headers["Location"] == "/en/robots/monitor/"


def test_a_word_that_begins_like_a_language_is_no_language():
    assert split("/entradas/") == (None, "/entradas/")
    assert split("/en/entradas/") == ("en", "/entradas/")
    assert split("/fr/") == (None, "/fr/")


NO_PAGES = ["/healthz", "/robots/monitor/stream", "/api/telemetry/stream", "/static/web/base.css", "/en"]


@pytest.mark.parametrize("path", [*OPEN, *MISSING, *NO_PAGES])
def test_every_answer_carries_the_security_headers(client, path):
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    answer.close()


@pytest.mark.parametrize("prefix", ["", "/en"])
@pytest.mark.parametrize("path", [*OPEN[:-1], *MISSING])
def test_no_page_holds_anything_the_policy_forbids(client, people, path, prefix):
    text = client.get(prefix + path).content.decode()
    assert re.search(r"\sstyle=", text) is None
    assert re.search(r"\son[a-z]+=", text) is None
    assert re.search(r"<style", text) is None
    assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []


def test_the_shop_is_not_pretended(client):
    assert client.get("/tienda/").status_code == 404
    assert "tienda" not in client.get("/").content.decode().lower()


def test_health_is_the_contracts_answer(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_page_that_does_not_exist_says_so_in_the_readers_language(client):
    spanish, english = client.get("/nada/"), client.get("/en/nada/")
    assert (spanish.status_code, english.status_code) == (404, 404)
    assert "Aquí no hay ninguna página" in spanish.content.decode()
    assert "There is no page here" in english.content.decode()


def test_a_form_without_its_token_saves_nothing_and_says_what_to_do(people):
    answer = Client(enforce_csrf_checks=True).post("/cuenta/registro/", {"username": "dora", "password": "dora-likes-robots"})
    assert answer.status_code == 403
    assert "Este formulario caducó" in answer.content.decode()


def test_one_head_a_page(client, people):
    for path in OPEN[:-1]:
        assert len(re.findall(r"<h1[ >]", client.get(path).content.decode())) == 1


def test_home_gives_a_line_that_works_against_this_server(client, settings):
    import dataclasses

    settings.ENV = dataclasses.replace(settings.ENV, demo=True, broker_url="mqtt://127.0.0.1:1999", telemetry_url="http://127.0.0.1:9777")
    text = client.get("/").content.decode()
    assert "mosquitto_pub -h testserver -p 1999 -q 1" in text
    assert "-t croody/v1/mi-robot/up/telemetry" in text
    assert "curl http://testserver:9777/api/telemetry/ingest" in text
    settings.ENV = dataclasses.replace(settings.ENV, demo=False)
    assert "mosquitto_pub -h testserver -p 8883 --capath" in client.get("/").content.decode()

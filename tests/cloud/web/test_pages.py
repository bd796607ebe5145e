"""Every page: its addresses in both languages, its headers, and what it must not say."""

import re

import pytest
from django.test import Client

from croody.web.language import split

pytestmark = pytest.mark.django_db(databases="__all__")

OPEN = ["/", "/estado/", "/robots/monitor/", "/cuenta/acceder/", "/cuenta/registro/"]
MISSING = ["/nada/", "/tienda/", "/cuenta/entrar/abc/"]
PREFIXES = [("", "es"), ("/es", "es"), ("/en", "en")]


@pytest.mark.parametrize(("prefix", "language"), PREFIXES)
@pytest.mark.parametrize("path", OPEN)
def test_a_page_has_an_address_in_each_language_and_one_without(client, path, prefix, language):
    answer = client.get(prefix + path)
    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == language
    assert re.search(rf'<html[^>]*lang="{language}', answer.content.decode())


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "es"),
        ("es-CO,es;q=0.9,en;q=0.8", "es"),
        ("en-GB,en", "en"),
        ("EN", "en"),
        ("fr-CA,fr;q=0.9,en;q=0.5,es;q=0.1", "en"),
        ("en;q=0.4,es;q=0.6", "es"),
        ("en;q=0,es;q=0.1", "es"),
        ("es,en", "es"),
        ("de,fr", "es"),
        ("*", "es"),
        ("en;q=nonsense", "es"),
        ("\x00," * 400, "es"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/nada/"])
def test_an_address_without_prefix_is_in_the_language_that_the_browser_asks_for(client, path, accepted, language):
    answer = client.get(path, headers={"Accept-Language": accepted})
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}"' in answer.content.decode()
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in answer.headers["Vary"].split(",")}


def test_an_address_with_a_prefix_is_in_its_language_whatever_the_browser_says_or_was_read_before(client):
    client.get("/es/")
    answer = client.get("/en/estado/", headers={"Accept-Language": "es"})
    assert answer.headers["Content-Language"] == "en"
    assert "Accept-Language" not in answer.headers.get("Vary", "")


def test_the_language_that_somebody_chose_is_remembered_and_wins(client):
    english = {"Accept-Language": "en"}
    chosen = client.get("/es/estado/", headers=english).cookies["language"]
    assert (chosen.value, chosen["samesite"], chosen["httponly"], chosen["path"]) == ("es", "Lax", True, "/")
    assert client.get("/estado/", headers=english).headers["Content-Language"] == "es"
    assert client.get("/es/estado/").cookies == {}, "it is told once"
    client.get("/en/estado/")
    assert client.get("/estado/", headers={"Accept-Language": "es"}).headers["Content-Language"] == "en"
    client.cookies["language"] = "xx"
    assert client.get("/estado/", headers=english).headers["Content-Language"] == "en"


@pytest.mark.parametrize("path", ["/en/nada/", "/en/robots/monitor", "/en/cuenta/perfil/", "/en/robots/monitor/stream"])
def test_what_nobody_reads_is_no_choice(client, path):
    answer = client.get(path)
    assert "language" not in answer.cookies
    answer.close()


def test_links_of_an_english_page_lead_to_english_ones_whatever_its_address(client):
    text = client.get("/", headers={"Accept-Language": "en"}).content.decode()
    assert 'href="/en/robots/monitor/"' in text
    assert 'data-stream="/en/robots/monitor/stream' in text
    answer = client.get("/cuenta/perfil/", headers={"Accept-Language": "en"})
    assert answer.headers["Location"] == "/en/cuenta/acceder/?next=/cuenta/perfil/"


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


def test_what_only_a_page_heeds_is_not_said_with_each_of_its_parts(client):
    page, *parts = (client.get(path) for path in ("/", "/static/web/base.css", "/static/web/page.js", "/static/web/icons.svg"))
    for name in ("Permissions-Policy", "Cross-Origin-Opener-Policy"):
        assert name in page.headers
        assert not [part for part in parts if name in part.headers]
    for part in parts:
        part.close()


@pytest.mark.parametrize("prefix", ["", "/en"])
@pytest.mark.parametrize("path", [*OPEN[:-1], *MISSING])
def test_no_page_holds_anything_the_policy_forbids(client, people, path, prefix):
    text = client.get(prefix + path).content.decode()
    assert re.search(r"\sstyle=", text) is None
    assert re.search(r"\son[a-z]+=", text) is None
    assert re.search(r"<style", text) is None
    assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []


def test_a_shop_that_sells_nothing_says_so(client):
    page = client.get("/tienda/")
    assert page.status_code == 200
    assert "Todavía no hay nada a la venta" in page.content.decode()


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
    line = re.search(r'id="add"><code>(.*?)</code>', text)
    assert line is not None
    assert re.fullmatch(r"(\./croody|\.venv/bin/croody) robot add [\w-]+", line[1]), "it runs as it stands, and shares with nobody"
    assert "-t croody/v1/mi-robot/up/telemetry" in text
    assert "curl http://testserver:9777/api/telemetry/ingest" in text
    settings.ENV = dataclasses.replace(settings.ENV, demo=False)
    assert "mosquitto_pub -h testserver -p 8883 --capath" in client.get("/").content.decode()

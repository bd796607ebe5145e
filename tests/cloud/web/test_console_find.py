"""The palette's answers: by a few letters, of what is one's own, and leading somewhere."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody.accounts.models import Organisation
from croody.alarms.services import raise_alarm
from croody.fleet import services
from tests.cloud.web.helpers import DRIVING, say

pytestmark = pytest.mark.django_db(databases="__all__")


def asked(user: Any, query: str, *, fragment: bool = True) -> str:
    client = Client()
    client.force_login(user)
    return client.get(f"/console/find?{query}", headers={"X-Fragment": "palette"} if fragment else {}).content.decode()


def test_robots_alarms_and_pages_are_found_and_those_of_others_are_not(people: SimpleNamespace) -> None:
    services.add_robot("rover-9", organisation=Organisation.objects.create(name="Carlos's", slug="carlos"), shared=True)
    say("rover-1", 1, DRIVING)
    raise_alarm("rover-1", "conflict", "", "high", {}, datetime.now(UTC))
    html = asked(people.alice, "q=rover")
    acts = ["Ver rover-1 en el mapa", "Poner rover-1 en mantenimiento…", "Editar rover-1…"]
    assert re.findall(r'answer-words">([^<]+)<', html) == ["rover-1", "rover-2", "Dos robots con un nombre", *acts]
    assert "Editar" not in asked(people.bob, "q=rover"), "a viewer is offered no act that is refused"
    assert "rover-9" not in html
    assert "Dos robots con un nombre" in asked(people.alice, "q=dos+robots")


def test_a_page_is_found_without_its_accent_and_in_the_readers_language(people: SimpleNamespace) -> None:
    assert 'href="/console/log/"' in asked(people.alice, "q=BITACORA")
    client = Client()
    client.force_login(people.alice)
    assert 'href="/en/console/map/"' in client.get("/en/console/find?q=map", headers={"X-Fragment": "palette"}).content.decode()


def test_the_robot_in_view_is_acted_on_first(people: SimpleNamespace) -> None:
    html = asked(people.alice, "q=rover&on=rover-2")
    assert "Ver rover-2 en el mapa" in html
    assert "Ver rover-1 en el mapa" not in html


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 500, "q=%25_'\"<b>", "on=nobody"])
def test_whatever_is_typed_gets_an_answer(people: SimpleNamespace, query: str) -> None:
    html = asked(people.alice, query)
    assert "<b>" not in html
    assert "answer" in html


def test_without_script_it_is_a_page(people: SimpleNamespace) -> None:
    html = asked(people.alice, "q=rover-2", fragment=False)
    assert "<h1>Buscar en la consola</h1>" in html
    assert 'value="rover-2"' in html

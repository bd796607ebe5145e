"""Over HTTP a robot's id is any 3 to 64 characters that can be shown. None of them keeps a page from anybody."""

import html
import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, resolve, reverse
from hypothesis import given
from hypothesis import strategies as st

from croody.fleet.models import Robot
from tests.cloud.web.helpers import DRIVING, say

IDS = ("line/3", "../..", "a%2fb", "a?x=1#y", "<script>", '"quoted" & so on', " ab ", "...", "-rf", "😀😀😀", "İstanbul", "ab\u0301c")
_ID = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn")), min_size=3, max_size=64).filter(str.isprintable)


def _names() -> list[str]:
    """Every address of the console that has a robot in it, by its name."""
    found = [name for name in get_resolver().reverse_dict if isinstance(name, str) and name.startswith("console_")]
    return sorted(name for name in found if _address(name, "rover-1") is not None)


def _address(name: str, robot_id: str) -> str | None:
    for more in ({}, {"number": 7}):
        try:
            return reverse(name, kwargs={"robot_id": robot_id, **more})
        except NoReverseMatch:
            continue
    return None


@given(_ID)
def test_an_address_leads_to_the_robot_that_it_was_made_for(robot_id: str) -> None:
    assert resolve(unquote(reverse("console_robot", args=[robot_id]))).kwargs == {"robot_id": robot_id}


def test_every_address_with_a_robot_in_it_takes_any_id() -> None:
    names = _names()
    assert len(names) > 20
    assert [(name, one) for name in names for one in IDS if _address(name, one) is None] == []


@pytest.mark.django_db(databases="__all__")
def test_a_robot_of_any_id_keeps_no_page_from_anybody_and_has_one_of_its_own(people: SimpleNamespace) -> None:
    for robot_id in IDS:
        Robot.objects.create(pk=robot_id, organisation=people.organisation, site=people.site)
        say(robot_id, 1, DRIVING)
    client = Client()
    client.force_login(people.alice)

    fleet = _page(client, "/console/")
    for address in ("/console/delivery/", "/console/map/", "/console/kpis/", "/console/detection/", "/robots/monitor/"):
        _page(client, address)
    for robot_id in IDS:
        address = f"/console/robots/{_part(robot_id)}/"
        assert address in _links(fleet), robot_id
        assert html.escape(robot_id) in _page(client, address)
        _page(client, f"/console/delivery/{_part(robot_id)}/")


def _part(robot_id: str) -> str:
    return reverse("console_robot", args=[robot_id]).split("/robots/")[1].removesuffix("/")


def _links(page: str) -> set[str]:
    return {html.unescape(link) for link in re.findall(r'href="([^"]+)"', page)}


def _page(client: Client, address: str) -> str:
    answer: Any = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return str(answer.content.decode())

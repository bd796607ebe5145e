"""Times and cursors that no list of ours can be asked with: refused with a sentence, on both databases."""

import base64
import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.django_db(databases="__all__")
#: Before the year 1 and behind the year 9999 in UTC.
BEFORE, BEHIND = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
SPAN = {"start": "2026-11-24T00:00:00Z", "end": "2026-11-25T00:00:00Z"}
LISTS = ("/robots", "/sites", "/alarms", "/audit", "/deliveries", "/robots/rover-1/events", "/alarms?status=all")


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "path", ["/series?robot_id=rover-1&metric=a&", "/audit?", "/robots/rover-1/events?", "/exports/readings?", "/exports/audit?"]
)
@pytest.mark.parametrize("span", [{"start": BEFORE}, {"end": BEHIND}])
def test_a_time_that_no_database_holds_names_itself(get: Any, path: str, span: dict[str, str]):
    answer = get(f"{path}{urlencode(SPAN | span)}")
    assert answer.status_code == 422
    name, value = next(iter(span.items()))
    assert answer.json()["detail"].startswith(f"{name}: {value} lies outside the years 1 to 9999")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "place",
    [
        (BEFORE, 1),
        (BEHIND, 1),
        ("2026-11-24T00:00:00", 1),
        ("2026-11-24T00:00:00Z", 10**30),
        ("2026-11-24T00:00:00Z", -(2**63) - 1),
        (2**63,),
        (-(10**30),),
        ("a\x00b",),
        ("\ud800",),
        (None,),
    ],
)
def test_a_cursor_that_no_list_gave_is_told_so(get: Any, path: str, place: tuple[Any, ...]):
    answer = get(f"{path}{'&' if '?' in path else '?'}cursor={cursor(*place)}")
    assert answer.status_code == 422
    assert answer.json()["rule"] == "it is none that this list gave"


def test_a_product_of_a_name_that_no_database_holds_is_not_there(team: SimpleNamespace, client: Any):
    for act in ("agregar", "cambiar"):
        assert client.post(f"/tienda/carrito/{act}/", {"product": "a\x00b", "quantity": "1"}).status_code == 404


def test_a_delivery_proof_of_the_end_of_all_years_is_no_period_in_any_zone(team: SimpleNamespace, client: Any):
    client.force_login(team.alice)
    ends = (("9999-12-31T10:00+00:00", "9999-12-31T23:00+00:00"), ("0001-01-01T01:00+00:00", "0001-01-01T09:00+00:00"))
    for zone in ("Pacific/Kiritimati", "America/Bogota"):
        for since, until in ends:
            asked = urlencode({"since": since, "until": until, "zone": zone})
            for path in ("proof/", "proof/export/"):
                assert client.get(f"/console/delivery/rover-1/{path}?{asked}").status_code in (200, 302, 303, 400, 404, 422)


def test_a_shift_begins_before_it_is_taken(team: SimpleNamespace, client: Any):
    from croody.alarms.models import Handover

    client.force_login(team.alice)
    for since in (BEHIND, BEFORE, "2999-01-01T00:00:00+00:00", "2026-11-24T00:00:00"):
        assert client.post("/console/handover/sign/", {"team": team.ours.pk, "note": "x", "since": since}).status_code == 303
    assert all(one.since <= one.at for one in Handover.objects.all())

"""What robots measure is read in the units that somebody likes, on every page and in every stream; what is kept and exported is not."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from croody.accounts.caller import of_user
from croody.accounts.models import Membership, Preferences
from croody.console.fleet.facts import audience_of
from croody.console.robot.stream import RobotFeed, View
from croody.fleet import services
from croody.live.page_feed import Viewer
from croody.telemetry.read.metrics import describe
from croody.web import units
from croody.web.units import SI, Units
from tests.cloud.web.helpers import say

IMPERIAL = Units("f", "ft", "mph")
LIKED = {"name": "", "language": "", "theme": "", "zone": "", "temperature": "f", "length": "ft", "speed": "mph"}


@pytest.mark.parametrize(
    ("name", "raw", "wanted", "said"),
    [
        ("motor_temp_c", 100.0, IMPERIAL, "212.0\u00a0°F"),
        ("motor_temp_c", -40, IMPERIAL, "\u221240.0\u00a0°F"),
        ("oil_temp_c", 0, IMPERIAL, "32.0\u00a0°F"),
        ("speed_mps", 10, IMPERIAL, "22.37\u00a0mph"),
        ("speed_mps", 10, Units("c", "m", "kmh"), "36.00\u00a0km/h"),
        ("x_m", 0.3048, IMPERIAL, "1.00\u00a0ft"),
        ("run_km", 1.609344, IMPERIAL, "1.00\u00a0mi"),
        ("motor_temp_c", 100.0, SI, "100.0\u00a0°C"),
        ("battery_pct", 87, IMPERIAL, "87\u00a0%"),
        ("joint3_speed_radps", 1, IMPERIAL, "1.00\u00a0rad/s"),
        ("motor_temp_c", None, IMPERIAL, "\u2014\u00a0°F"),
        ("motor_temp_c", 10**400, IMPERIAL, "\u2014\u00a0°F"),
    ],
)
def test_a_value_is_read_in_the_units_of_the_page(name: str, raw: Any, wanted: Units, said: str):
    with units.using(wanted):
        assert describe(name).quantity(raw, "en") == said
    assert units.current() == SI


def test_a_change_of_a_temperature_has_no_zero_of_its_own():
    with units.using(IMPERIAL):
        assert describe("motor_temp_c").quantity(10, "en", change=True) == "18.0\u00a0°F"


@pytest.mark.parametrize("text", ["", "f", "f-ft", "f-ft-knots", "F-ft-mph", "dark.UTC", "f-ft-mph-x", "<b>"])
def test_what_is_no_choice_is_si(text: str):
    assert units.parse(text) == SI


def test_every_choice_is_written_and_read_again():
    for one in (SI, IMPERIAL, Units("f", "m", "kmh")):
        assert units.parse(str(one)) == one


@pytest.mark.django_db(databases="__all__")
def test_who_likes_fahrenheit_reads_it_on_pages_and_in_the_stream_and_others_do_not(people: Any, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    services.add_robot("rover-9", organisation=people.organisation)
    say("rover-9", 1, {"motor_temp_c": 50.0, "speed_mps": 1.0}, now=timezone.now())
    for user in (people.alice, people.bob):
        Membership.objects.get_or_create(user=user, organisation=people.organisation)
    alice, bob = Client(), Client()
    alice.force_login(people.alice)
    bob.force_login(people.bob)
    assert alice.post("/cuenta/preferencias/", LIKED).status_code == 302
    assert Preferences.objects.get(user=people.alice).units == "f-ft-mph"
    for address in ("/en/console/robots/rover-9/", "/en/console/?q=rover-9&metric=motor_temp_c"):
        hers, his = alice.get(address).content.decode(), bob.get(address).content.decode()
        assert ("122.0" in hers, "°F" in hers, "°C" in hers) == (True, True, False), address
        assert ("50.0" in his, "°C" in his, "°F" in his) == (True, True, False), address
    assert 'value="f" selected' in alice.get("/cuenta/preferencias/").content.decode()
    lines = alice.get("/api/v1/robots/rover-9/values").json()["values"]
    assert lines["motor_temp_c"] == 50.0

    feed = RobotFeed()
    viewers = [
        Viewer(View(audience_of(of_user(user)), "en", "rover-9", wanted), "")
        for user, wanted in ((people.alice, IMPERIAL), (people.bob, SI))
    ]
    for viewer in viewers:
        feed.listeners.add(viewer)
        feed.welcome(viewer)
    welcomes = feed.read().welcomes
    hers, his = (welcomes[viewer.view, ""].decode() for viewer in viewers)
    assert ("122.0" in hers, "50.0" in his, "122.0" in his) == (True, True, False)

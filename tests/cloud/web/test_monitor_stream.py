"""What the monitor's stream gives to whom: one encoding a page, in the language and with the robots of each."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from croody.accounts.caller import ANONYMOUS, Caller, of_user
from croody.fleet import services
from croody.monitor.selection import Selection
from croody.monitor.stream import MonitorFeed, View, Viewer
from tests.cloud.web.helpers import DRIVING, say

pytestmark = pytest.mark.django_db(databases="__all__")


def viewer(feed: MonitorFeed, language: str = "es", audience: Caller = ANONYMOUS, asked: Selection | None = Selection()) -> Viewer:  # noqa: B008
    one = Viewer(View(audience, language, asked), "")
    feed.listeners.add(one)
    feed.welcome(one)
    return one


def told(one: Viewer) -> Any:
    """What waits for a viewer, as one message; None for nothing."""
    chunk = b"".join(one._waiting)
    one._waiting.clear()
    return json.loads(chunk.decode().split("data: ")[-1]) if chunk else None


def turn(feed: MonitorFeed) -> None:
    feed.publish(feed.read())


def test_all_who_look_at_one_page_share_its_bytes_and_each_language_has_its_own(people):
    feed = MonitorFeed(round_s=60)
    one, two, english = viewer(feed), viewer(feed), viewer(feed, "en")
    turn(feed)
    assert one._waiting[0] is two._waiting[0]
    assert (told(one)["texts"][""]["sentence"], told(english)["texts"][""]["sentence"]) == ("0 de 1 robot en línea", "0 of 1 robot online")
    told(two)
    say("rover-2", 1, DRIVING)
    turn(feed)
    assert one._waiting[0] is two._waiting[0]
    assert told(one)["texts"]["rover-2"]["v0"] == "1,10"
    assert told(english)["texts"]["rover-2"]["v0"] == "1.10"


def test_a_team_sees_its_robots_and_strangers_do_not(people):
    say("rover-1", 1, DRIVING)
    feed = MonitorFeed(round_s=60)
    public, alice = viewer(feed), viewer(feed, audience=of_user(people.alice))
    turn(feed)
    assert "rover-1" not in told(public)["texts"]
    assert "rover-1" in told(alice)["texts"]


def test_a_page_is_told_of_its_hundred_robots_and_of_the_counts_over_all(people):
    for number in range(3, 153):
        services.add_robot(f"rover-{number}", organisation=people.organisation, shared=True)
    feed = MonitorFeed(round_s=60)
    first, second = viewer(feed), viewer(feed, asked=Selection(page=2))
    turn(feed)
    for one, count in ((first, 100), (second, 51)):
        message = told(one)
        assert len(message["lists"]["rows"]) == count
        assert len(message["texts"]) == count + 1
        assert message["texts"][""]["sentence"] == "0 de 151 robots en línea"


def test_a_state_comes_as_words_of_its_row_and_trouble_moves_up(people):
    now = datetime.now(UTC)
    services.add_robot("a-1", organisation=people.organisation, shared=True)
    say("a-1", 1, {"TEMP": 20.0})
    say("rover-2", 1, {"TEMP": 20.0}, now=now - timedelta(seconds=13))
    feed = MonitorFeed(round_s=60)
    one = viewer(feed)
    turn(feed)
    assert told(one)["lists"]["rows"] == ["robot-a-1", "robot-rover-2"]
    say("rover-2", 3, {"TEMP": 20.0}, now=now - timedelta(minutes=10))
    from croody.telemetry.models import Presence, Stream

    Stream.objects.filter(robot_id="rover-2").update(last_received_at=now - timedelta(minutes=10))
    Presence.objects.filter(robot_id="rover-2").update(received_at=now - timedelta(minutes=10))
    turn(feed)
    message = told(one)
    assert message["lists"]["rows"] == ["robot-rover-2", "robot-a-1"]
    said = message["texts"]["rover-2"]
    assert (said["state"], said["word"]) == ("is-offline", "Sin conexión")
    assert "a-1" not in message["texts"]
    assert not {"robot-rover-2", "robot-a-1"} & set(message["html"]), "a row that is there already is not written anew"
    assert "rover-2" in message["html"]["attention"]


def test_when_nothing_changes_nothing_is_said_until_it_is_time_to_show_that_we_live(people):
    feed = MonitorFeed(round_s=60)
    one = viewer(feed)
    turn(feed)
    assert told(one)["whole"] is True
    turn(feed)
    assert told(one) is None


def test_more_pages_than_a_round_has_time_for_take_turns(people):
    feed = MonitorFeed(round_s=0)
    viewers = [viewer(feed, asked=Selection(search=f"rover{number}")) for number in range(4)]
    for _ in range(4):
        turn(feed)
    assert all(told(one) is not None for one in viewers), "each had its turn"

"""What the page of one robot asks: its day in cells, what it told, what is usual. On both databases."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from croody_contract.messages import Born, Event, Snapshot, Tombstone
from tests.cloud.telemetry.helpers import NOON, reading
from tests.contract.test_pictures import jpeg

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOW = NOON + timedelta(hours=1)
Send = Callable[..., dict[str, Any]]


def test_a_day_shows_what_came_what_came_late_what_is_missing_and_what_is_lost(send: Send, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.read.day_cells import day

    send(1, [reading(1.0, NOON + number * MINUTE) for number in range(4)], now=NOON + 4 * MINUTE)
    send(5, [reading(1.0, NOON + 16 * MINUTE)], now=NOON + 30 * MINUTE, historical=True)
    send(8, [reading(1.0, NOON + 31 * MINUTE)], now=NOON + 32 * MINUTE)
    send(12, [reading(1.0, NOON + 50 * MINUTE)], now=NOON + 51 * MINUTE)
    send(13, [Tombstone(stream="stream-a", ranges=[(9, 11)], reason="thinned")], now=NOON + 52 * MINUTE)
    jobs.roll_up(NOW)
    found = day("rover-1", "TEMP", now=NOW)
    signs = {round((cell.start - NOON) / MINUTE): (cell.sign, cell.count) for cell in found.cells if cell.sign}
    assert signs == {0: ("whole", 4), 15: ("missing", 1), 30: ("missing", 1), 45: ("lost", 1)}
    assert [(hole.first, hole.last, hole.lost) for hole in found.holes] == [(9, 11, True), (6, 7, False)]
    assert (found.count(lost=False), found.count(lost=True)) == (2, 3)
    send(6, [reading(1.0, NOON + 17 * MINUTE), reading(1.0, NOON + 18 * MINUTE)], now=NOW, historical=True)
    jobs.roll_up(NOW)
    assert {cell.count: cell.sign for cell in day("rover-1", "TEMP", now=NOW).cells if cell.count == 3} == {3: "late"}


def test_a_day_without_anything_is_empty_and_no_gap(fleet: SimpleNamespace):
    from croody.telemetry.read.day_cells import CELLS, day

    found = day("rover-1", "TEMP", now=NOW)
    assert [cell.sign for cell in found.cells] == [""] * CELLS
    assert found.holes == []


def test_what_a_robot_told_is_found_among_its_readings_newest_first(send: Send, fleet: SimpleNamespace):
    from croody.telemetry.read.events import born, told

    records = [Born(agent="croody-edge 1", capabilities=["resend"], ts=NOON), *(reading(1.0, NOON + n * MINUTE) for n in range(1, 5))]
    send(1, [*records, Event(code="door_open", ts=NOON + 5 * MINUTE)], now=NOON + 6 * MINUTE)
    found = told("rover-1", until=NOW)
    assert [(one.kind, one.seq) for one in found] == [("event", 6), ("born", 1)]
    assert [one.seq for one in told("rover-1", until=NOW, limit=1)] == [6]
    assert [one.seq for one in told("rover-1", until=NOON + 4 * MINUTE)] == [1]
    assert [one.seq for one in told("rover-1", until=NOW, since=NOON + MINUTE)] == [6]
    start = born("rover-1")
    assert start is not None
    assert start.data["capabilities"] == ["resend"]
    assert born("rover-2") is None


def test_what_is_usual_is_the_least_and_the_greatest_of_a_day(send: Send, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.read.typical_ranges import usual

    send(1, [reading(value, NOON + number * MINUTE) for number, value in enumerate((20.0, 25.5, 19.0))], now=NOW)
    jobs.roll_up(NOW)
    found = usual("rover-1", ["TEMP", "HUM"], now=NOW)
    assert {name: (one.low, one.high, one.count) for name, one in found.items()} == {"TEMP": (19.0, 25.5, 3)}
    assert usual("rover-1", ["TEMP"], now=NOW + timedelta(days=2)) == {}


def test_a_picture_is_kept_without_its_bytes_staying_in_the_record_and_no_more_often_than_every_ten_seconds(
    send: Send, fleet: SimpleNamespace
):
    from croody.telemetry import jobs
    from croody.telemetry.models import Record
    from croody.telemetry.read.snapshots import newest, picture

    moments = [0, 4, 10, 13, 21]
    rows = [Snapshot(jpeg=jpeg(64 + second), ts=NOON + timedelta(seconds=second), camera="front") for second in moments]
    send(1, [*rows, Snapshot(jpeg=jpeg(), ts=NOON, camera="rear")], now=NOON + MINUTE)
    jobs.keep_pictures(NOON + MINUTE)
    found = {one.camera: (one.at - NOON, one.width) for one in newest("rover-1")}
    assert found == {"front": (timedelta(seconds=21), 85), "rear": (timedelta(0), 64)}
    told = [row.data for row in Record.objects.filter(kind="snapshot_seen").order_by("pk")]
    assert [one["kept"] for one in told] == [True, False, True, False, True, True]
    assert all("jpeg" not in one and one["bytes"] > 0 for one in told)
    one = newest("rover-1")[0]
    whole = picture("rover-1", one.pk)
    assert whole is not None
    assert bytes(whole.jpeg) == jpeg(85)
    assert picture("rover-2", one.pk) is None, "by the robot whose it is"


def test_of_each_camera_the_newest_few_pictures_stay(send: Send, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.jobs.snapshots import CAMERAS, KEPT
    from croody.telemetry.models import Picture

    send(1, [Snapshot(jpeg=jpeg(), ts=NOON + number * MINUTE) for number in range(KEPT + 3)], now=NOON + (KEPT + 3) * MINUTE)
    jobs.keep_pictures(NOON + HOUR)
    assert Picture.objects.count() == KEPT
    assert Picture.objects.order_by("at").values_list("at", flat=True)[0] == NOON + 3 * MINUTE
    send(KEPT + 4, [Snapshot(jpeg=jpeg(), ts=NOON, camera=f"camera-{number:02}") for number in range(CAMERAS + 5)], now=NOON + HOUR)
    jobs.keep_pictures(NOON + HOUR)
    assert len(set(Picture.objects.values_list("camera", flat=True))) == CAMERAS
    jobs.apply_retention(NOON + 40 * 24 * HOUR)
    assert not Picture.objects.exists()


def test_what_is_no_picture_is_a_dead_letter_and_its_neighbours_are_stored(send: Send, fleet: SimpleNamespace):
    raw = b'{"kind":"snapshot","jpeg":"PHN2Zz4="}'
    assert send(1, [reading(1.0), raw, reading(2.0)]) == {"stored": [(1, 1), (3, 3)], "dead": [(2, 2)]}
    from croody.telemetry.models import DeadLetter

    assert DeadLetter.objects.get().reason == "bad_picture"

"""What people say about a robot: each change is one service, is held to its rule and is written down once."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from croody.accounts.models import Organisation
from croody.audit.actor import Actor
from croody.audit.models import Entry
from croody.fleet import services
from croody.fleet.models import Robot, Site
from croody.liveness.judge import State
from croody.liveness.signs import states_of

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALICE = Actor("person", name="alice")


def written(verb: str) -> list[tuple[Any, Any]]:
    return list(Entry.objects.filter(verb=verb, thing="robot").order_by("pk").values_list("before", "after"))


def test_a_label_is_one_line_and_is_written_down_once(people: SimpleNamespace) -> None:
    services.set_label(people.rover, "  La  del\nmuelle ", actor=ALICE, now=NOW)
    services.set_label(people.rover, "La del muelle", actor=ALICE, now=NOW)
    assert Robot.objects.get(pk=people.rover.pk).label == "La del muelle"
    assert written("label") == [({"label": ""}, {"label": "La del muelle"})]
    with pytest.raises(services.BadRobot, match="80"):
        services.set_label(people.rover, "x" * 81, actor=ALICE, now=NOW)


def test_tags_keep_their_order_and_are_few_and_without_commas(people: SimpleNamespace) -> None:
    services.set_tags(people.rover, ["norte", " frágil ", "norte", ""], actor=ALICE, now=NOW)
    assert Robot.objects.get(pk=people.rover.pk).tags == ["norte", "frágil"]
    for bad in ([str(number) for number in range(13)], ["a,b"], ["x" * 33]):
        with pytest.raises(services.BadRobot):
            services.set_tags(people.rover, bad, actor=ALICE, now=NOW)
    assert len(written("tag")) == 1


def test_notes_may_have_many_lines_and_no_end_of_them_is_refused(people: SimpleNamespace) -> None:
    services.set_notes(people.rover, "uno\r\ndos", actor=ALICE, now=NOW)
    assert Robot.objects.get(pk=people.rover.pk).notes == "uno\ndos"
    with pytest.raises(services.BadRobot, match="4001"):
        services.set_notes(people.rover, "x" * 4001, actor=ALICE, now=NOW)


def test_maintenance_is_a_state_until_its_end_or_until_somebody_says_so(people: SimpleNamespace) -> None:
    until = NOW + timedelta(hours=2)
    services.start_maintenance(people.rover, until=until, reason="Cambio de rueda", actor=ALICE, now=NOW)
    assert states_of(["rover-1"], now=NOW)["rover-1"] == State.MAINTENANCE
    assert states_of(["rover-1"], now=until)["rover-1"] == State.UNKNOWN
    row = Robot.objects.get(pk="rover-1")
    assert (row.maintenance_by, row.maintenance_reason, row.maintenance_since) == ("alice", "Cambio de rueda", NOW)
    services.end_maintenance(people.rover, actor=ALICE, now=NOW)
    assert states_of(["rover-1"], now=NOW)["rover-1"] == State.UNKNOWN
    assert [len(written(verb)) for verb in ("start_maintenance", "end_maintenance")] == [1, 1]


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(seconds=1), NOW + timedelta(days=31)])
def test_maintenance_that_is_over_or_has_no_end_is_refused(people: SimpleNamespace, until: datetime) -> None:
    with pytest.raises(services.BadRobot, match="30"):
        services.start_maintenance(people.rover, until=until, reason="", actor=ALICE, now=NOW)
    assert Robot.objects.get(pk=people.rover.pk).maintenance_until is None


def test_a_robot_moves_between_sites_of_its_own_organisation_alone(people: SimpleNamespace) -> None:
    site = Site.objects.create(organisation=people.rover.organisation, name="Patio", slug="patio")
    services.move_to_site(people.rover, site, actor=ALICE, now=NOW)
    assert Robot.objects.get(pk=people.rover.pk).site == site
    assert written("move")[-1][1] == {"site": "patio"}
    other = Organisation.objects.create(name="Carlos's", slug="carlos")
    with pytest.raises(services.BadRobot, match="lejos"):
        services.move_to_site(people.rover, Site.objects.create(organisation=other, name="L", slug="lejos"), actor=ALICE, now=NOW)
    services.move_to_site(people.rover, None, actor=ALICE, now=NOW)
    assert Robot.objects.get(pk=people.rover.pk).site is None


def test_sharing_is_written_down_both_ways(people: SimpleNamespace) -> None:
    services.share(people.rover, True, actor=ALICE, now=NOW)
    services.share(people.rover, False, actor=ALICE, now=NOW)
    assert (written("share"), written("unshare")) == (
        [({"shared": False}, {"shared": True})],
        [({"shared": True}, {"shared": False})],
    )

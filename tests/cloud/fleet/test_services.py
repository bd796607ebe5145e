"""Robots, their secrets, and what is sent to them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from croody.accounts.models import Organisation
from croody.commands import services as commands
from croody.commands.models import Outgoing
from croody.fleet import queries, services
from croody.fleet.models import Credential, Robot
from croody.liveness import listening
from croody.liveness.models import Listening
from croody_contract import mosquitto
from croody_contract.messages import Answer

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_secret_is_returned_once_and_kept_only_as_hashes(people):
    kept = Credential.objects.get(robot=people.rover)
    assert len(people.rover_secret) >= 43
    assert people.rover_secret not in f"{kept.mqtt_hash}{kept.sha256}"
    assert mosquitto.verify(people.rover_secret, kept.mqtt_hash)
    found = queries.robot_id_of_secret(people.rover_secret, NOW)
    assert found == "rover-1"
    assert queries.robot_id_of_secret("another secret", NOW) is None


def test_a_rotated_secret_replaces_the_old_one(people):
    fresh = services.rotate_secret(people.rover)
    assert queries.robot_id_of_secret(people.rover_secret, NOW) is None
    assert queries.robot_id_of_secret(fresh, NOW) == "rover-1"


def test_a_revoked_robot_is_shut_out_and_gets_nothing_more(people):
    commands.send(people.rover, "stop", {}, after(60), now=NOW)
    services.revoke(people.rover, now=NOW)
    assert queries.robot_id_of_secret(people.rover_secret, NOW) is None
    assert commands.claim_due(after(1)) == []
    assert Robot.objects.get(pk="rover-1").deleted_at == NOW
    with pytest.raises(services.BadRobot, match="no such robot"):
        commands.send("rover-1", "stop", {}, after(60), now=NOW)


@pytest.mark.parametrize("robot_id", ["ab", "a" * 65, "rover/1", "róver", "bridge", "rover-1", "rover 1", "rover\n", "#", "+"])
def test_an_id_that_is_short_long_odd_reserved_or_taken_is_refused_by_name(people, robot_id):
    with pytest.raises(services.BadRobot, match="robot_id"):
        services.add_robot(robot_id, organisation=people.organisation)
    assert Robot.objects.count() == 1


def test_a_robot_that_was_revoked_comes_back_with_a_new_secret(people):
    services.revoke(people.rover, now=NOW)
    robot, secret = services.add_robot("rover-1", organisation=people.organisation, kind="arm", now=after(60))
    assert (robot.kind, robot.deleted_at, robot.returned_at) == ("arm", None, after(60))
    assert queries.robot_id_of_secret(secret, NOW) == "rover-1"
    assert queries.robot_id_of_secret(people.rover_secret, NOW) is None
    assert queries.returned({"rover-1", "rover-2"}) == {"rover-1": after(60)}
    with pytest.raises(services.BadRobot, match="rotate rover-1"):
        services.add_robot("rover-1", organisation=people.organisation)


def test_who_takes_the_name_of_a_revoked_robot_sees_no_readings_that_are_not_his(people):
    services.revoke(people.rover, now=NOW)
    other = Organisation.objects.create(name="Carlos's", slug="carloss")
    with pytest.raises(services.BadRobot, match="robot_id rover-1"):
        services.add_robot("rover-1", organisation=other)
    with pytest.raises(services.BadRobot, match="--shared"):
        services.add_robot("rover-1", organisation=people.organisation, shared=True)
    assert Robot.objects.get(pk="rover-1").deleted_at == NOW
    assert not Credential.objects.filter(robot="rover-1").exists()


def test_a_robot_cannot_work_at_another_organisations_site(people):
    other = Organisation.objects.create(name="Carlos's", slug="carloss")
    site = other.sites.create(name="Yard", slug="yard")
    with pytest.raises(services.BadRobot, match=r"carloss|otra organización"):
        services.add_robot("rover-2", organisation=people.organisation, site=site)


def test_what_is_sent_comes_again_later_each_time_until_it_expires(people):
    row = commands.send(people.rover, "resend", {"stream": "a" * 8, "ranges": [[1, 2]]}, after(300), now=NOW)
    sent_at = []
    for tenth in range(4000):
        moment = after(tenth / 10)
        for item in commands.claim_due(moment):
            assert (item.robot_id, item.outgoing.id, item.outgoing.kind) == ("rover-1", row.pk, "resend")
            sent_at.append((moment - NOW).total_seconds())
    waits = [later - earlier for earlier, later in pairwise(sent_at)]
    assert sent_at[0] == 0
    assert waits == pytest.approx([2, 4, 8, 16, 32, 60, 60, 60])
    assert Outgoing.objects.get().attempts == 9


def test_an_answer_ends_the_repeats_and_only_the_robots_own_counts(people):
    services.add_robot("rover-2", organisation=people.organisation)
    row = commands.send(people.rover, "stop", {}, after(300), now=NOW)
    assert not commands.answer("rover-2", row.pk, Answer(state="done"), now=after(1))
    assert len(commands.claim_due(after(1))) == 1
    assert commands.answer("rover-1", row.pk, Answer(state="received"), now=after(1))
    assert commands.claim_due(after(100)) == []
    assert commands.open_outgoing("rover-1", "stop", now=after(100)) == [row]
    assert commands.answer("rover-1", row.pk, Answer(state="done", detail="stood still"), now=after(101))
    assert not commands.answer("rover-1", row.pk, Answer(state="refused"), now=after(102))
    kept = Outgoing.objects.get()
    assert (kept.answer_state, kept.answer_detail, kept.answered_at) == ("done", "stood still", after(101))
    assert commands.open_outgoing("rover-1", "stop", now=after(103)) == []


def test_more_than_the_limit_waits_for_the_next_question(people):
    for _ in range(5):
        commands.send(people.rover, "stop", {}, after(300), now=NOW)
    first = commands.claim_due(NOW, limit=3)
    second = commands.claim_due(NOW, limit=3)
    assert [len(first), len(second), len(commands.claim_due(NOW, limit=3))] == [3, 2, 0]
    assert len({item.outgoing.id for item in first + second}) == 5


@pytest.mark.parametrize(("kind", "lives_s"), [("Stop", 60), ("s", 60), ("stop now", 60), ("stop", 0), ("stop", -5)])
def test_a_kind_or_expiry_that_the_contract_cannot_carry_is_refused(people, kind, lives_s):
    with pytest.raises(ValueError, match=r"kind|expires_at"):
        commands.send(people.rover, kind, {}, after(lives_s), now=NOW)


def test_listening_is_unbroken_while_a_bridge_asks_and_begins_again_after_a_break(people):
    for second in range(30):
        listening.note(after(second))
    row = Listening.objects.get()
    assert row.since == NOW
    assert after(27) <= row.at <= after(29)
    listening.note(after(60))
    assert listening.listening() == (after(60), after(60), "", 0)


def test_a_new_robot_is_known_at_once_and_a_revoked_one_is_forgotten_soon(people):
    known = queries.KnownRobots()
    assert known({"rover-1", "rover-2"}, monotonic_s=0.0) == {"rover-1"}
    robot, _ = services.add_robot("rover-2", organisation=people.organisation)
    assert known({"rover-1", "rover-2"}, monotonic_s=0.1) == {"rover-1", "rover-2"}
    services.revoke(robot, now=NOW)
    assert known({"rover-1", "rover-2"}, monotonic_s=0.2 + queries.KNOWN_FOR_S) == {"rover-1"}


def test_known_robots_cost_no_query_while_they_are_remembered(people, django_assert_num_queries):
    known = queries.KnownRobots()
    known({"rover-1"}, monotonic_s=0.0)
    with django_assert_num_queries(0):
        assert known({"rover-1"}, monotonic_s=1.0) == {"rover-1"}

"""Signs -> evidence -> incidents -> alarms: what is an intrusion, what is none, who is told, and what it costs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.alarms import queries
from croody.alarms.models import Alarm
from croody.detection.incidents import fusion, jobs, rules, signs
from croody.detection.incidents.kinds import INTRUSION
from croody.detection.incidents.rules import Sign
from croody.detection.models import Incident, SecurityEvent
from croody.fleet import services
from croody_contract.security import Kind, Noticed, Report

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
STRANGER = "203.0.113.9"


def sign(kind, *, seconds=0.0, address=STRANGER, account="", known=False, secret="", topic="", times=1):
    return Sign(NOW - timedelta(seconds=seconds), kind, address, account, known, secret, topic, times)


def wrong(number, **given):
    return sign(Kind.WRONG_SECRET, **{"account": "rover-1", "known": True, "secret": f"code-{number}", **given})


def codes(found):
    return {suspect.who: [evidence.rule.code for evidence in suspect.evidence] for suspect in rules.suspects(found)}


def of(address):
    return rules.Who("address", address)


# What is evidence


def test_different_wrong_secrets_are_guessing_and_the_same_one_again_and_again_is_not():
    assert codes([wrong(number) for number in range(5)]) == {}
    assert codes([wrong(number) for number in range(6)]) == {of(STRANGER): ["guessing"]}
    assert codes([wrong(1, seconds=second, times=2) for second in range(60)]) == {}, "a robot with an old secret tries for ever"


def test_one_secret_for_many_accounts_is_spraying():
    tried = [wrong(1, account=f"rover-{number}", known=False) for number in range(5)]
    assert codes(tried) == {of(STRANGER): ["accounts"]}


def test_a_fleet_behind_one_address_with_old_secrets_is_no_intrusion():
    """As after a backup was restored, or on a new database: each robot tries its own old secret, again and again."""
    for known in (True, False):
        assert codes([wrong(number, account=f"rover-{number}", known=known, times=20) for number in range(50)]) == {}
    assert codes([sign(Kind.WRONG_KEY, secret=str(number), times=6) for number in range(50)]) == {}


def test_who_gets_in_after_guessing_is_the_worst_of_all():
    guesses = [wrong(number, seconds=30 - number) for number in range(4)]
    let_in = sign(Kind.CONNECTED, account="rover-1", known=True)
    assert codes([*guesses, let_in])[of(STRANGER)] == ["guessed"]
    assert codes([sign(Kind.CONNECTED, seconds=50, account="rover-1", known=True), *guesses]) == {}, "who was in before was not guessed"


def test_a_fleet_that_comes_back_after_an_outage_is_no_intrusion():
    back = [sign(Kind.CONNECTED, account=f"rover-{number}", known=True, address="198.51.100.1", times=3) for number in range(500)]
    taken = [sign(Kind.TAKEN_OVER, account=f"rover-{number}", known=True, address="198.51.100.1") for number in range(500)]
    assert codes([*back, *taken]) == {}


@pytest.mark.parametrize(("kind", "code"), [(Kind.DENIED_PUBLISH, "spoofing"), (Kind.DENIED_SUBSCRIBE, "listening")])
def test_the_topics_of_another_robot_are_evidence_and_a_mistake_in_ones_own_is_not(kind, code):
    account = {"account": "rover-1", "known": True}
    assert codes([sign(kind, topic="croody/v1/rover-2/up/telemetry", **account)]) == {rules.Who("account", "rover-1"): [code]}
    assert codes([sign(kind, topic="croody/v1/rover-1/up", **account), sign(kind, topic="sensors/temperature", **account)]) == {}


def test_refusals_of_which_a_broker_cannot_tell_the_secret_count_only_when_they_are_many():
    assert codes([sign(Kind.WRONG_SECRET, times=19)]) == {}
    assert codes([sign(Kind.WRONG_SECRET, times=20)]) == {of(STRANGER): ["refusals"]}


def test_persons_mistype_and_scripts_repeat_one_key_and_neither_is_an_incident():
    assert codes([sign(Kind.WRONG_PASSWORD, account="alice", times=9)]) == {}
    assert codes([sign(Kind.WRONG_KEY, secret="one", times=600)]) == {}
    assert codes([sign(Kind.MISSING, topic="/favicon.png", times=600)]) == {}


def test_what_the_apis_and_pages_refuse_is_evidence_too():
    assert codes([sign(Kind.WRONG_PASSWORD, account="alice", times=10)]) == {of(STRANGER): ["passwords"]}
    assert codes([sign(Kind.WRONG_PASSWORD, account=f"person-{number}") for number in range(5)]) == {of(STRANGER): ["accounts"]}
    assert codes([sign(Kind.WRONG_KEY, secret=str(number)) for number in range(20)]) == {of(STRANGER): ["keys"]}
    assert codes([sign(Kind.MISSING, topic=f"/{number}.php") for number in range(30)]) == {of(STRANGER): ["scanning"]}
    assert codes([sign(Kind.FORBIDDEN, times=20)]) == {of(STRANGER): ["forbidden"]}


# From signs to an alarm


@pytest.fixture
def team(db):
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    for number in (1, 2):
        services.add_robot(f"rover-{number}", organisation=organisation)
    return organisation


def told(*noticed, ago_s=0.0, now=NOW):
    signs.write("broker", [Report(list(noticed), ago_s)], now)


def guesses(count, *, account="rover-1", address=STRANGER, now=NOW):
    told(*(Noticed(Kind.WRONG_SECRET, address, account, True, f"code-{number}") for number in range(count)), now=now)


def test_forty_wrong_passwords_are_one_incident_and_one_alarm_that_names_who(team):
    guesses(40)
    jobs.find_incidents(NOW)
    jobs.find_incidents(NOW + timedelta(seconds=2))
    (incident,) = Incident.objects.all()
    assert (incident.offender, incident.worst, incident.severity, incident.robots) == (STRANGER, "guessing", "high", ["rover-1"])
    (alarm,) = Alarm.objects.all()
    assert (alarm.robot_id, alarm.organisation, alarm.count) == ("", team, 1)
    with translation.override("es"):
        text = INTRUSION.sentence(alarm.detail, "es")
    assert text.startswith(f"{STRANGER} probó 40 secretos distintos en un minuto (límite 6), como rover-1: ")


def test_what_goes_on_is_the_same_incident_and_after_two_quiet_minutes_it_is_over(team):
    for minute in range(5):
        guesses(10, now=NOW + timedelta(minutes=minute))
        jobs.find_incidents(NOW + timedelta(minutes=minute))
    assert Incident.objects.count() == Alarm.objects.count() == 1
    assert Alarm.objects.get().count == 5
    later = NOW + timedelta(minutes=7)
    jobs.find_incidents(later)
    assert Incident.objects.get().ended_at == NOW + timedelta(minutes=4)
    assert Alarm.objects.get().resolved_at is None, "what came at night is there in the morning"
    guesses(10, now=later)
    jobs.find_incidents(later)
    assert Incident.objects.count() == 2
    assert Alarm.objects.get().count == 6


def test_signs_that_come_late_are_looked_at_in_their_own_minute(team):
    """The worker was away, or the API was and the broker kept what it noticed."""
    jobs.find_incidents(NOW)
    spread = [Noticed(Kind.WRONG_SECRET, "198.51.100.7", "rover-1", True, f"code-{number}") for number in range(6)]
    for number, one in enumerate(spread):
        told(one, ago_s=900 - 60 * number, now=NOW + timedelta(hours=1))
    guesses(8, now=NOW + timedelta(minutes=20, seconds=29))
    told(*(Noticed(Kind.WRONG_PASSWORD, "198.51.100.8", "x", False) for _ in range(20)), ago_s=110, now=NOW + timedelta(hours=1))
    for second in (0, 2, 4):
        jobs.find_incidents(NOW + timedelta(hours=1, seconds=second))
    (first, second) = Incident.objects.order_by("first_at")
    assert (first.offender, first.first_at, first.ended_at) == (STRANGER, NOW + timedelta(minutes=20, seconds=29), first.last_at)
    assert second.offender == "198.51.100.8"
    assert Alarm.objects.count() == 2
    assert [alarm.count for alarm in Alarm.objects.all()] == [1, 1]


def test_it_gets_worse_when_the_guess_is_right(team):
    guesses(8)
    jobs.find_incidents(NOW)
    told(Noticed(Kind.CONNECTED, STRANGER, "rover-1", True), now=NOW + timedelta(seconds=3))
    jobs.find_incidents(NOW + timedelta(seconds=3))
    alarm = Alarm.objects.get()
    assert (alarm.severity, alarm.detail["worst"]) == ("critical", "guessed")


def test_a_robot_that_speaks_for_another_is_an_alarm_of_its_own(team):
    told(Noticed(Kind.DENIED_PUBLISH, "10.0.0.5", "rover-2", True, topic="croody/v1/rover-1/up/telemetry"))
    jobs.find_incidents(NOW)
    alarm = Alarm.objects.get()
    assert (alarm.robot_id, alarm.detail["worst"], alarm.detail["beside"]) == ("rover-2", "spoofing", ["10.0.0.5"])


def test_each_team_is_told_of_its_own_robots_alone(team):
    other = Organisation.objects.create(name="Bob's", slug="bobs")
    services.add_robot("drone-1", organisation=other)
    guesses(10, account="rover-1")
    guesses(10, account="drone-1")
    jobs.find_incidents(NOW)
    assert {alarm.organisation: alarm.detail["robots"] for alarm in Alarm.objects.all()} == {team: ["rover-1"], other: ["drone-1"]}


def test_what_concerns_no_robot_is_for_the_only_team_and_with_several_for_who_administers_the_server(team):
    guesses(10, account="nobody")
    jobs.find_incidents(NOW)
    assert Alarm.objects.get().organisation == team
    Alarm.objects.all().delete()
    Incident.objects.all().delete()
    Organisation.objects.create(name="Bob's", slug="bobs")
    jobs.find_incidents(NOW)
    assert Alarm.objects.get().organisation is None
    assert queries.visible_to(Caller("person", superuser=True)).count() == 1


# What grows


def test_a_flood_of_signs_costs_a_bounded_number_of_rows(team):
    for second in range(120):
        noticed = [Noticed(Kind.WRONG_SECRET, f"10.0.{second}.{number}", "rover-1", True, str(number)) for number in range(64)]
        told(*noticed, now=NOW + timedelta(seconds=second))
    assert SecurityEvent.objects.count() <= 2 * (signs.FLOOD + 64 + 60 * 4), "in two minutes"


def test_a_thousand_addresses_are_not_a_thousand_alarms(team):
    for part in range(20):
        address = "10.{}.{}.1".format
        noticed = [Noticed(Kind.WRONG_SECRET, address(part, number % 7), "rover-1", True, str(number)) for number in range(63)]
        told(*noticed)
    jobs.find_incidents(NOW)
    assert Incident.objects.count() > fusion.MANY
    assert Alarm.objects.count() == fusion.MANY + 1
    many = Alarm.objects.get(key__endswith=":many")
    with translation.override("es"):
        assert INTRUSION.sentence(many.detail, "es").startswith("Muchas direcciones a la vez")


def test_who_comes_in_is_written_down_only_where_somebody_was_refused_before(team):
    told(*(Noticed(Kind.CONNECTED, "10.0.0.1", f"rover-{number}", True) for number in range(50)))
    assert not SecurityEvent.objects.exists()


def test_a_detail_that_lost_its_parts_still_has_words():
    for detail in ({}, {"worst": "guessing"}, {"worst": "nonsense", "evidence": {}}, {"worst": "guessing", "evidence": {}, "beside": 3}):
        assert INTRUSION.sentence(detail, "es")

"""What agents screened of their networks: judged again here, and the estimate of what they missed, held against the truth."""

import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest
from django.utils import translation

from croody.accounts.models import Organisation
from croody.alarms.models import Alarm
from croody.detection.incidents import kinds as words
from croody.detection.models import DeviceWindow, Incident, SiteCalibration
from croody.detection.network import jobs
from croody.detection.network.estimate import estimate, estimates
from croody.detection.network.judge import beyond
from croody.fleet.models import Robot, Site
from croody.telemetry.ingest import services as ingest
from croody.telemetry.jobs.alarms import raise_alarms
from croody_contract.flows.counters import Counter
from croody_contract.flows.meter import Look
from croody_contract.messages import Born, Event, Evidence, encode
from croody_contract.relay import BatchItem, Relay
from croody_edge.sources.network.screened import Screened

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
SECOND = 1_000_000_000
#: What the agent takes for ordinary: an old calibration, made when something scanned.
LAX = {"failed_ports": {"10": 60, "60": 60}}


def window(seconds: int, ports: int) -> Look:
    counted = {Counter.FAILED_PORTS: ports, Counter.PACKETS: 400}
    return Look(seconds * 10 * SECOND, b"\x0a\0\0\x07", {10: counted, 60: counted}, ())


def session(seed: int) -> tuple[int, int, int, list[Evidence]]:
    """A day of a device whose agent's limits are too high: (cleared, missed in truth, suspected, what went up)."""
    dice = random.Random(seed)
    screened, sent = Screened(LAX, dice.choice([0.02, 0.05, 0.1]), random.Random(seed + 1_000)), []
    missed = cleared = suspected = 0
    share = dice.choice([0.0, 0.002, 0.01, 0.05])
    for number in range(dice.randrange(2_000, 9_000)):
        attack = dice.random() < share
        ports = dice.randrange(16, 200) if attack else dice.randrange(0, 6)
        made = screened.look(window(number, ports))
        cleared, suspected = cleared + (ports <= 120), suspected + (ports > 120)
        missed += attack and ports <= 120
        sent += [made] if made is not None else []
    return cleared, missed, suspected, sent


def test_the_truth_lies_inside_the_interval_of_at_least_eighteen_of_twenty_sessions():
    inside = 0
    for seed in range(20):
        cleared, missed, _suspected, sent = session(seed)
        found = [bool(beyond({k: dict(v) for k, v in one.windows.items()}, None)) for one in sent]
        told = estimate("rover-1", "limits", cleared=cleared, suspected=0, sent=len(sent), looked=len(found), missed=sum(found))
        inside += told.least <= missed <= told.most
    assert inside >= 18


def test_nothing_missed_is_inside_when_nothing_was_found():
    told = estimate("rover-1", "limits", cleared=8_429, suspected=0, sent=801, looked=801, missed=0)
    assert (told.least, round(told.most)) == (0.0, 40)


@pytest.fixture
def store():
    """Put records into a stream of a robot, as the bridge does."""

    def put(robot_id: str, records: list[Evidence], stream: str = "a-stream-1") -> None:
        raws = [msgspec.Raw(encode(record)) for record in (Born(agent="croody-edge 1.0"), *records)]
        answered = ingest.ingest_relay(Relay(batches=[BatchItem(robot_id, stream, 1, raws)]), now=NOW)
        assert answered is not None

    return put


def evidence(**given) -> Evidence:
    usual = {"device": "10.0.0.7", "screen": "limits-1", "suspect": False, "sampled": True, "windows": {"10": {"failed_ports": 40}}}
    return Evidence(**(usual | {"ts": NOW, "cleared": 100} | given))


def test_what_was_cleared_is_judged_with_the_newest_calibration_and_counted(people: SimpleNamespace, store):
    store(
        "rover-1",
        [
            evidence(),
            evidence(windows={"10": {"failed_ports": 3, "of_another_version": 9}}),
            evidence(sampled=False, suspect=True, suspected=4),
        ],
    )
    jobs.judge_networks(NOW)
    jobs.judge_networks(NOW)
    assert list(DeviceWindow.objects.order_by("seq").values_list("confirmed", "kinds")) == [
        (True, ["port_scan"]),
        (False, []),
        (True, ["port_scan"]),
    ]
    (told,) = estimates(Robot.objects.all(), NOW - timedelta(days=1))
    assert (told.robot_id, told.screen, told.cleared, told.suspected, told.sent) == ("rover-1", "limits-1", 300, 4, 3)
    assert (told.missed.sampled, told.missed.missed, told.missed_windows) == (2, 1, 150)
    assert told.saved == pytest.approx(1 - 3 / 304)
    site = Site.objects.create(organisation=people.organisation, name="Norte", slug="norte")
    Robot.objects.filter(pk="rover-1").update(site=site)
    kept = {"made_at": NOW, "kept_at": NOW, "confirmed_at": NOW, "sha256": "a", "by_name": "alice"}
    SiteCalibration.objects.create(site=site, maxima={"failed_ports": {"10": 50}}, **kept)
    store("rover-1", [evidence()], stream="a-stream-2")
    jobs.judge_networks(NOW)
    assert DeviceWindow.objects.get(stream="a-stream-2").confirmed is False


def test_what_an_agent_suspects_is_an_incident_with_what_the_broker_says_of_that_address(people: SimpleNamespace, store):
    who = {"offender_kind": "address", "offender": "10.0.0.7", "worst": "refusals", "severity": "medium"}
    said = {"refusals": {"value": 30, "limit": 20, "seconds": 60}}
    Incident.objects.create(**who, first_at=NOW, last_at=NOW, evidence=said)
    late = {"ts": NOW - timedelta(seconds=30), "suspect": True, "sampled": False}
    first = evidence(kinds=["port_scan", "of_another_version"], beside=["10.0.0.1"], **late)
    store("rover-1", [first, evidence(kinds=["port_scan"], **late)])
    jobs.judge_networks(NOW)
    (incident,), (alarm,) = Incident.objects.all(), Alarm.objects.all()
    assert (incident.worst, incident.severity, incident.robots, incident.beside) == ("port_scan", "high", ["rover-1"], ["10.0.0.1"])
    assert incident.evidence == {**said, "port_scan": {"value": 40, "limit": 10, "seconds": 10}}
    assert (alarm.kind, alarm.severity, alarm.organisation, alarm.count) == ("intrusion", "high", people.organisation, 1)
    with translation.override("es"):
        guessed = words.said("guessing", {"value": 9, "limit": 6}, "10.0.0.7", incident.beside, "es")
        assert guessed.endswith("como nadie en particular"), "machines in its packets are no accounts"
        assert words.said("port_scan", incident.evidence["port_scan"], "10.0.0.7", [], "es") == (
            "10.0.0.7 busca puertos abiertos, 40 en 10 s (límite 10)"
        )


def test_the_same_address_in_networks_of_two_teams_is_two_offenders(people: SimpleNamespace, store):
    other = Organisation.objects.create(name="Otra", slug="otra")
    Robot.objects.create(pk="their-1", organisation=other)
    for robot in ("rover-1", "their-1"):
        store(robot, [evidence(kinds=["port_scan"], suspect=True, sampled=False)])
    jobs.judge_networks(NOW)
    assert sorted(Incident.objects.values_list("robots", flat=True)) == [["rover-1"], ["their-1"]]
    assert set(Alarm.objects.values_list("organisation", flat=True)) == {people.organisation.pk, other.pk}


def test_an_agents_event_of_its_network_raises_no_second_alarm(people: SimpleNamespace, store):
    store("rover-1", [Event(code="network_intrusion", severity="high", detail={"offender": "10.0.0.7"})])
    raise_alarms(NOW)
    assert not Alarm.objects.exists()


def test_an_incident_of_the_same_address_says_that_a_cleared_window_was_missed(people: SimpleNamespace, store):
    who = {"offender_kind": "address", "offender": "10.0.0.7", "worst": "guessing", "severity": "high"}
    said = {"guessing": {"value": 9, "limit": 6, "seconds": 60}}
    Incident.objects.create(**who, first_at=NOW, last_at=NOW, evidence=said)
    store("rover-1", [evidence(windows={"10": {"packets": 5}})])
    jobs.judge_networks(NOW)
    assert DeviceWindow.objects.get().confirmed is True


def test_a_robot_that_names_a_new_suspect_each_time_makes_so_many_incidents_a_day_and_no_others_wait(
    people: SimpleNamespace, store, monkeypatch
):
    monkeypatch.setattr(jobs, "MOST_A_DAY", 3)
    monkeypatch.setattr(jobs, "_made", {})
    Robot.objects.create(pk="rover-2", organisation=people.organisation)
    store("rover-1", [evidence(device=f"10.0.0.{number}", suspect=True, kinds=["port_scan"]) for number in range(10, 20)])
    store("rover-2", [evidence(device="10.0.1.1", suspect=True, kinds=["port_scan"])])
    jobs.judge_networks(NOW)
    assert sorted(Incident.objects.values_list("offender", flat=True)) == ["10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.1.1"]
    assert DeviceWindow.objects.filter(robot_id="rover-1").count() == 10, "all of them are judged and kept"
    (over,) = Alarm.objects.filter(kind="quota")
    assert (over.robot_id, over.count) == ("rover-1", 7)
    tomorrow = NOW + timedelta(days=1)
    store("rover-1", [evidence(device="10.0.0.99", suspect=True, kinds=["port_scan"], ts=tomorrow)], stream="a-stream-2")
    jobs.judge_networks(tomorrow)
    assert Incident.objects.filter(offender="10.0.0.99").exists()

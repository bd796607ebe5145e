"""Detection in the console: who behaves oddly, what people say a window was, and what that says of the detector."""

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from croody.accounts.models import Membership, Organisation
from croody.alarms.services import raise_alarm
from croody.audit.models import Entry
from croody.console.detection import facts
from croody.detection.incidents.kinds import INTRUSION
from croody.detection.kinds import ANOMALY
from croody.detection.models import Concern, Incident, IncidentException, SiteCalibration, Verdict
from croody.detection.sensor_words import SENSORS
from croody.fleet import services
from croody.fleet.models import Site
from tests.contract.frames import udp

pytestmark = pytest.mark.django_db(databases="__all__")
HERE = "/es/console/detection/"


@pytest.fixture
def alice(people: SimpleNamespace) -> Client:
    client = Client()
    client.force_login(people.alice)
    return client


def window(robot_id: str = "rover-1", seq: int = 1, **columns: Any) -> Verdict:
    now = datetime.now(UTC)
    usual: dict[str, Any] = {"suspect": True, "confirmed": True, "edge_score": 0.83, "basis": "baseline", "deviation": 2.0}
    usual |= {"stream": "a-stream", "at": now - timedelta(seconds=seq), "judged_at": now, "edge_model": "sensors-ae-1"}
    return Verdict.objects.create(robot_id=robot_id, seq=seq, **(usual | columns))


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_without_anything_the_page_says_so_and_shows_the_card(alice: Client):
    page = text(alice.get(HERE))
    assert "<h1>Ningún robot se aparta de lo habitual</h1>" in page
    assert "croody-nslkdd" in page
    assert "82,0\xa0%" in page  # recall on KDDTest+, as docs/reference/detection.md has it


def test_a_robot_that_behaves_oddly_is_the_pages_answer(alice: Client):
    raise_alarm("rover-1", ANOMALY, "", "high", {"windows": 9, "drivers": {"motor_temp_c": 0.8}}, datetime.now(UTC))
    page = text(alice.get(HERE))
    assert "<h1>Un robot se aparta de lo habitual</h1>" in page
    assert "9 ventanas confirmadas" in page


def test_sensors_that_an_agent_finds_odd_are_on_the_page_and_a_robot_with_two_of_them_is_one(alice: Client):
    detail = {"metric": "motor_temp_c", "value": 95.0, "limit": 60.0}
    for kind in SENSORS[:3]:
        raise_alarm("rover-1", kind, "", "medium", detail, datetime.now(UTC))
    page = text(alice.get(HERE))
    assert "<h1>Un robot se aparta de lo habitual</h1>" in page
    assert "Temp. motor: 95,0\xa0°C, lejos de lo aprendido (límite 60,0\xa0°C)." in page
    raise_alarm("rover-2", SENSORS[0], "", "medium", detail, datetime.now(UTC))
    assert "sin valor nuevo desde hace 95\xa0s" in text(alice.get(HERE))


def test_what_a_window_was_is_said_written_down_and_taken_back(alice: Client):
    row = window()
    where = f"{HERE}{row.pk}/?robot=rover-1"

    answer = alice.post(where, {"label": "normal"})

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{HERE}?robot=rover-1#verdict-{row.pk}"
    row.refresh_from_db()
    assert (row.label, row.label_by) == ("normal", "alice")
    assert Entry.objects.get(verb="label").after == {"label": "normal"}
    assert "Era normal</span>" in text(alice.get(HERE))
    alice.post(where, {"label": ""})
    row.refresh_from_db()
    assert (row.label, row.label_by, row.label_at) == ("", "", None)
    assert Entry.objects.filter(verb="label").count() == 2


def test_what_people_said_tells_how_good_the_detector_is(alice: Client):
    for seq in range(1, 5):
        window(seq=seq, label="real" if seq > 1 else "normal")
    window(seq=9)
    assert "De 4 ventanas confirmadas que alguien revisó en 30 días, normales: 1, un 25,0\xa0%" in text(alice.get(HERE))


@pytest.mark.parametrize("label", ["maybe", "x" * 5000, "real\x00"])
def test_a_word_that_is_none_changes_nothing(label: str, alice: Client):
    row = window()
    assert alice.post(f"{HERE}{row.pk}/", {"label": label}).status_code == 404
    row.refresh_from_db()
    assert row.label == ""


def test_who_looks_says_nothing_and_sees_no_button(people: SimpleNamespace):
    row = window()
    bob = Client()
    bob.force_login(people.bob)
    assert "Era una falla" not in text(bob.get(HERE))
    assert bob.post(f"{HERE}{row.pk}/", {"label": "real"}).status_code == 403
    Membership.objects.filter(user=people.bob).update(role=Membership.Role.OPERATOR)
    assert bob.post(f"{HERE}{row.pk}/", {"label": "real"}).status_code == 303


def test_windows_of_others_are_not_there(alice: Client):
    others = Organisation.objects.create(name="Carlos's", slug="carlos")
    services.add_robot("carlos-1", organisation=others, shared=True)
    row = window("carlos-1")
    assert "carlos-1" not in text(alice.get(HERE))
    assert alice.post(f"{HERE}{row.pk}/", {"label": "real"}).status_code == 404


def test_filters_and_pages_are_in_the_address(alice: Client):
    for seq in range(1, 61):
        window(seq=seq)
    window("rover-2", 1, confirmed=False)
    assert text(alice.get(f"{HERE}?result=dismissed")).count('id="verdict-') == 1
    assert text(alice.get(f"{HERE}?robot=rover-1&page=2")).count('id="verdict-') == 10
    assert "Ninguna con estos filtros" in text(alice.get(f"{HERE}?robot=nobody"))
    assert alice.get(f"{HERE}?page=99999999999&result=nonsense&robot=%00").status_code == 200


def test_a_card_that_cannot_be_read_is_said(alice: Client, settings: Any, tmp_path: Any):
    import dataclasses

    settings.ENV = dataclasses.replace(settings.ENV, model_path=str(tmp_path))
    assert facts.cloud_model().why
    assert "no se puede leer" in text(alice.get(HERE))


def test_windows_that_are_usual_are_shown_when_they_are_asked_for(alice: Client):
    window(seq=1, suspect=False, confirmed=False)
    assert text(alice.get(HERE)).count('id="verdict-') == 0
    assert "las que hubo eran habituales" in text(alice.get(HERE))
    assert text(alice.get(f"{HERE}?result=all")).count('id="verdict-') == 1


def intruder(address: str = "203.0.113.9", team: Organisation | None = None) -> Incident:
    now = datetime.now(UTC)
    evidence = {"guessing": {"value": 8, "limit": 6, "seconds": 60}}
    who = {"offender_kind": "address", "offender": address, "worst": "guessing", "severity": "high"}
    made = Incident.objects.create(**who, first_at=now, last_at=now, evidence=evidence, robots=["rover-1"], beside=["rover-1"])
    Concern.objects.create(incident=made, organisation=team or Organisation.objects.get(slug="alices"))
    return made


def test_what_an_incident_was_is_said_in_the_list_and_its_exception_stands_there_until_somebody_ends_it(alice: Client):
    made = intruder()
    assert "probó 8 secretos distintos" in text(alice.get(HERE))

    answer = alice.post(f"{HERE}incidents/{made.pk}/verdict/", {"verdict": "benign_here"})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{HERE}?#incident-{made.pk}")
    page = text(alice.get(HERE))
    assert "Anotado: Normal aquí" in page
    assert "<b>203.0.113.9</b>: adivinar secretos, hasta 16" in page
    (exception,) = IncidentException.objects.all()
    assert alice.post(f"{HERE}exceptions/{exception.pk}/end/").status_code == 303
    assert "adivinar secretos, hasta 16" not in text(alice.get(HERE))


def test_on_the_alert_of_an_intruder_one_says_what_it_was_and_for_how_long(alice: Client, people: SimpleNamespace):
    made = intruder()
    detail = {"incident": made.pk, "offender": made.offender, "worst": "guessing", "evidence": made.evidence, "beside": []}
    alarm = raise_alarm("", INTRUSION, "1:x", "high", detail, datetime.now(UTC), organisation=people.organisation.pk)
    where = f"/es/console/alerts/{alarm.pk}/"
    assert 'value="benign_here"' in text(alice.get(where))
    answer = alice.post(f"{HERE}incidents/{made.pk}/verdict/", {"verdict": "false", "days": "30", "alarm": str(alarm.pk)})
    assert answer.headers["Location"] == where
    assert (IncidentException.objects.get().expires_at - datetime.now(UTC)).days == 29
    alarm.refresh_from_db()
    assert alarm.resolved_at is not None
    refused = alice.post(f"{HERE}incidents/{made.pk}/verdict/", {"verdict": "false", "scope": "robot", "days": "99"})
    assert refused.status_code == 303
    assert "must be 1 to 90" in text(alice.get(HERE))


def test_many_incidents_are_pages_and_another_teams_are_not_shown(alice: Client):
    theirs = Organisation.objects.create(name="Carlos's", slug="carlos")
    for number in range(12):
        intruder(f"198.51.100.{number}")
    hidden = intruder("192.0.2.1", theirs)
    first = text(alice.get(HERE))
    assert (first.count('<li id="incident-'), "192.0.2.1" in first) == (10, False)
    oldest = Incident.objects.filter(offender__startswith="198").order_by("-pk")[9].pk
    assert f'href="?before={oldest}"' in first
    assert text(alice.get(f"{HERE}?before={oldest}")).count('<li id="incident-') == 2
    assert alice.post(f"{HERE}incidents/{hidden.pk}/verdict/", {"verdict": "false"}).status_code == 404


def test_what_is_ordinary_ages_in_sight_and_is_confirmed_with_one_act(alice: Client, people: SimpleNamespace):
    site = Site.objects.create(organisation=people.organisation, name="Norte", slug="norte")
    then = datetime.now(UTC) - timedelta(days=100)
    kept = {"made_at": then, "kept_at": then, "confirmed_at": then, "sha256": "ab" * 32, "by_name": "alice"}
    row = SiteCalibration.objects.create(site=site, maxima={}, **kept)
    page = text(alice.get(HERE))
    assert "Medido hace 100 días" in page
    assert "Nadie la confirmó en 90 días." in page
    assert alice.post(f"{HERE}calibrations/{row.pk}/confirm/").status_code == 303
    page = text(alice.get(HERE))
    assert "Nadie la confirmó" not in page
    assert "confirmado por alice" in page


def test_calibrate_keeps_what_it_measured_for_a_site(people: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Site.objects.create(organisation=people.organisation, name="Norte", slug="norte")
    capture = tmp_path / "calm.pcap"
    one = udp("10.0.0.7", 5_000, "10.0.0.1", 9_999, b"x" * 20)
    frames = [struct.pack("<IIII", 1_795_000_000 + second, 0, len(one), len(one)) + one for second in range(300)]
    capture.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(frames))
    call_command("ids", "calibrate", "--pcap", str(capture), "--site", "norte")
    assert list(SiteCalibration.objects.get().made_of) == ["calm.pcap"]
    for wrong in (["--site", "nowhere"], []):
        with pytest.raises(CommandError):
            call_command("ids", "calibrate", "--pcap", str(capture), *wrong)

"""The monitor's section on what was noticed: who sees it, in which words."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from croody.accounts.models import Membership, Organisation
from croody.alarms import kinds
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.detection.models import Verdict
from croody.detection.windows.queries import Tally, wilson
from croody.fleet import services
from croody.monitor import detection_words

pytestmark = pytest.mark.django_db(databases="__all__")

PAGE = "/robots/monitor/"
SECTION = "/robots/monitor/deteccion/"
#: What must not be read by strangers, in any part of the page.
PRIVATE = ('id="detection', "data-detection", "Detección", "Confirmada", "alerta abierta", "Temp. motor 62")


def verdict(robot_id: str, seq: int, *, age_s: float = 150.0, **more: Any) -> Verdict:
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    known: dict[str, Any] = {"edge_score": 0.91, "suspect": True, "confirmed": True, "basis": "baseline", "drivers": {"motor_temp_c": 0.62}}
    return Verdict.objects.create(robot_id=robot_id, stream="s", seq=seq, at=at, judged_at=at, edge_model="m", **{**known, **more})


def sign_in(client: Any, user: Any) -> None:
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")


def section(client: Any, path: str = SECTION) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("&nbsp;", " ")).replace("\u00a0", " ")


@pytest.fixture
def noticed(people: Any) -> Any:
    """The shared robot of Alice's was noticed: its readings are public, this is not."""
    verdict("rover-2", 1)
    raise_alarm("rover-2", "anomaly", "", "high", {"windows": 3, "drivers": {"motor_temp_c": 0.62}}, datetime.now(UTC))
    return people


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_who_works_with_the_robots_sees_verdicts_and_alarms(client, noticed, who):
    sign_in(client, getattr(noticed, who))
    text = client.get(PAGE).content.decode()
    assert 'id="detection"' in text
    assert 'data-detection="/robots/monitor/deteccion/"' in text
    assert "1 alerta abierta" in text
    assert "Confirmada" in section(client)


@pytest.mark.parametrize("who", [None, "carlos"])
def test_strangers_learn_nothing_of_a_shared_robots_trouble(client, noticed, who):
    if who:
        sign_in(client, getattr(noticed, who))
    text = client.get(PAGE).content.decode()
    assert "rover-2" in text
    assert [word for word in PRIVATE if word in text] == []
    for path in (SECTION, "/en" + SECTION):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "rover-2" not in answer.content.decode()


def test_another_team_sees_its_own_and_nothing_of_alices(client, noticed):
    theirs = Organisation.objects.create(name="Carlos's", slug="carlos")
    Membership.objects.create(user=noticed.carlos, organisation=theirs, role=Membership.Role.OWNER)
    services.add_robot("drone-9", organisation=theirs)
    verdict("drone-9", 1, confirmed=False)
    sign_in(client, noticed.carlos)
    text = section(client)
    assert "En 24 h: 1 ventana revisada, 1 sospechosa, 0 confirmadas" in text
    assert "Ninguna alerta abierta" in text
    assert "drone-9" in text
    assert "rover-2" not in text


def test_a_superuser_sees_all_and_a_deactivated_member_nothing(client, noticed):
    noticed.carlos.is_superuser = True
    noticed.carlos.save()
    sign_in(client, noticed.carlos)
    assert "rover-2" in section(client)
    sign_in(client, noticed.alice)
    noticed.alice.is_active = False
    noticed.alice.save()
    assert client.get(SECTION).status_code == 404


def test_who_leaves_the_team_sees_it_no_more(client, noticed):
    sign_in(client, noticed.bob)
    assert client.get(SECTION).status_code == 200
    Membership.objects.filter(user=noticed.bob).delete()
    assert client.get(SECTION).status_code == 404
    assert 'id="detection' not in client.get(PAGE).content.decode()


def test_the_sentence_counts_the_last_24_hours_and_a_missed_window_is_no_suspicion(client, people):
    verdict("rover-1", 1)
    verdict("rover-2", 2, confirmed=False)
    verdict("rover-2", 3, suspect=False, sampled=True, confirmed=True)
    verdict("rover-2", 4, age_s=25 * 3600)
    sign_in(client, people.alice)
    assert "En 24 h: 3 ventanas revisadas, 2 sospechosas, 1 confirmada" in section(client)
    assert "In 24 h: 3 windows checked, 2 suspect, 1 confirmed" in section(client, "/en" + SECTION)


@pytest.mark.parametrize(
    ("tally", "es", "en"),
    [
        ((0, 0, 0), "En 24 h: ninguna ventana revisada", "In 24 h: no window checked"),
        ((1, 1, 1), "En 24 h: 1 ventana revisada, 1 sospechosa, 1 confirmada", "In 24 h: 1 window checked, 1 suspect, 1 confirmed"),
        (
            (1234, 2, 0),
            "En 24 h: 1\u00a0234 ventanas revisadas, 2 sospechosas, 0 confirmadas",
            "In 24 h: 1,234 windows checked, 2 suspect, 0 confirmed",
        ),
    ],
)
def test_the_sentence_has_exact_plurals(tally, es, en):
    for language, expected in (("es", es), ("en", en)):
        with translation.override(language):
            assert detection_words.sentence(Tally(*tally), language) == expected


def test_what_screening_misses_is_said_with_its_interval_or_that_there_is_no_sample():
    assert "sin muestra todavía" in detection_words.missed_sentence(wilson(0, 0), "es")
    text = detection_words.missed_sentence(wilson(1, 40), "es").replace("\u00a0", " ")
    assert "de 40 ventanas que a bordo parecieron normales" in text
    assert "halló 1 fuera de lo habitual" in text
    assert "habitual: un 2,5 % (con 95 % de confianza, entre 0,4 % y 12,9 %). Cerca del 2 % sale así por azar" in text
    assert "de 1 ventana que a bordo pareció normal" in detection_words.missed_sentence(wilson(0, 1), "es")
    with translation.override("en"):
        text = detection_words.missed_sentence(wilson(0, 40), "en").replace("\u00a0", " ")
    assert "of 40 windows" in text
    assert "ordinary: 0 % (with 95 % confidence, between 0 % and 8.8 %)" in text


def test_the_sample_on_the_page_is_the_sample_of_these_robots(client, people):
    sign_in(client, people.alice)
    assert "sin muestra todavía" in section(client)
    for seq in range(4):
        verdict("rover-1", seq, suspect=False, sampled=True, confirmed=seq == 0)
    assert "de 4 ventanas que a bordo parecieron normales y se enviaron al azar, la nube halló 1 fuera de lo habitual" in section(client)


def test_a_verdict_says_result_robot_age_score_basis_and_sensors(client, people):
    verdict("rover-1", 1, edge_score=0.914, drivers={"speed_mps": 0.2, "motor_temp_c": 0.62, "HUM": 0.01, "TEMP": 0.17})
    sign_in(client, people.alice)
    row = "Confirmada rover-1 2 min Puntaje 0,91 Comparada con: Lo habitual del robot Temp. motor 62 %, Velocidad 20 %, Temperatura 17 %"
    assert row in section(client)
    row = "Confirmed rover-1 2 min Score 0.91 Compared with: What is usual for the robot Motor temp. 62 %, Speed 20 %, Temperature 17 %"
    assert row in section(client, "/en" + SECTION)


@pytest.mark.parametrize(("suspect", "confirmed"), list(detection_words.RESULTS))
def test_each_result_has_a_shape_and_a_word_of_its_own(client, people, suspect, confirmed):
    verdict("rover-1", 1, suspect=suspect, confirmed=confirmed, sampled=not suspect, basis="edge", drivers={})
    sign_in(client, people.alice)
    glyph, word = detection_words.RESULTS[suspect, confirmed]
    shown = detection_words.NOT_COMPARED if glyph == "usual" else word
    assert re.search(rf'icons[^"]*svg#{glyph}"/></svg>{shown}</span>', client.get(SECTION).content.decode())
    assert "Comparada con: Nada todavía: vale su puntaje Sin comparación todavía" in section(client)


def test_a_cleared_window_that_nothing_was_compared_with_is_not_called_usual(client, people):
    verdict("rover-1", 1, suspect=False, confirmed=False, sampled=True, basis="edge", drivers={})
    verdict("rover-1", 2, suspect=False, confirmed=False, sampled=True, basis="fleet")
    sign_in(client, people.alice)
    assert re.search(r"Habitual rover-1 .* Lo habitual de otros robots .* Normal a bordo rover-1", section(client))


def test_only_the_last_ten_windows_are_shown_newest_first(client, people):
    for seq in range(12):
        verdict("rover-1", seq, age_s=600 - seq, edge_score=seq / 100)
    sign_in(client, people.alice)
    assert re.findall(r"Puntaje (0,\d\d)", section(client)) == [f"0,{seq:02}" for seq in range(11, 1, -1)]


def test_nothing_noticed_is_said_as_that(client, people):
    sign_in(client, people.alice)
    text = section(client)
    for part in ("ninguna ventana revisada", "sin muestra todavía", "Ninguna alerta abierta", "Ninguna todavía. Cada robot se revisa"):
        assert part in text


def test_the_worst_alarm_comes_first_and_a_closed_one_not_at_all(client, people):
    now = datetime.now(UTC)
    raise_alarm("rover-1", "offline", "", "high", {}, now - timedelta(minutes=5))
    raise_alarm("rover-2", "gap", "s", "medium", {"missing": 12}, now)
    raise_alarm("rover-2", "conflict", "s", "high", {}, now)
    resolve_alarm("rover-2", "conflict", "s", now)
    sign_in(client, people.alice)
    text = section(client)
    assert "2 alertas abiertas" in text
    assert re.search(r"Alta rover-1 No da señales.* desde hace 5 min .*Media rover-2 Faltan 12 registros.* desde hace \d s", text)
    assert "mismo número" not in text


def test_more_alarms_than_fit_are_counted(client, people):
    for number in range(13):
        raise_alarm("rover-1", "gap", f"s{number}", "medium", {"missing": 1}, datetime.now(UTC))
    sign_in(client, people.alice)
    text = section(client)
    assert "13 alertas abiertas" in text
    assert "y 3 alertas más" in text
    assert text.count("Falta 1 registro") == 10


def test_every_kind_that_is_raised_has_its_words_in_both_languages():
    raised = {"gap", "conflict", "offline", "anomaly", "source_failed", "outbox_failed", "outbox_refused"}
    raised |= {"outbox_corrupt", "outbox_foreign", "screening_stopped", "model_refused"}
    assert raised - {kind.code for kind in kinds.all_declared()} == set()
    for kind in (*kinds.all_declared(), kinds.find("gripper_jam")):
        said = []
        for language in ("es", "en"):
            with translation.override(language):
                said.append([kind.sentence({}, language), *(str(text) for text in (kind.cause, kind.remedy, kind.title))])
        assert all(text.endswith(".") for texts in said for text in texts[:3]), kind.code
        assert all(spanish != english for spanish, english in zip(*said, strict=True)), kind.code


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        ("gap", {"missing": 1}, "Falta 1 registro que el robot numeró"),
        ("gap", {"missing": 1200}, "Faltan 1\u00a0200 registros que"),
        ("outbox_corrupt", {"lost_at_most": 0}, "se rescató entero"),
        ("outbox_corrupt", {"lost_at_most": 1}, "se perdió como mucho 1 registro:"),
        ("outbox_corrupt", {"lost_at_most": 7}, "se perdieron como mucho 7 registros:"),
        ("outbox_refused", {"count": 2}, "no aceptó 2 registros"),
        ("outbox_foreign", {"owner": "rover-7"}, "archivo de salida de rover-7"),
        (
            "anomaly",
            {"windows": 3, "drivers": {"motor_temp_c": 0.6}},
            "3 ventanas confirmadas en 5 min; destaca: Temp.\u00a0motor\u00a060\u00a0%.",
        ),
        ("anomaly", {"windows": 1, "drivers": "none"}, "1 ventana confirmada en 5 min."),
        ("gripper_jam", {}, "El robot avisa: pinza atascada."),
        ("gap", {"missing": "many"}, "Faltan 0 registros"),
    ],
)
def test_a_sentence_carries_its_numbers_and_survives_nonsense(kind, detail, expected):
    assert expected in kinds.find(kind).sentence(detail, "es")


def test_what_a_robot_calls_its_trouble_is_text_and_nothing_else(client, people):
    Alarm.objects.create(robot_id="rover-1", kind="<b>x</b>", severity="high", opened_at=datetime.now(UTC), last_at=datetime.now(UTC))
    sign_in(client, people.alice)
    text = client.get(SECTION).content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<b>x" not in text


def test_the_section_holds_nothing_the_policy_forbids(client, noticed):
    sign_in(client, noticed.alice)
    for text in (client.get(SECTION).content.decode(), client.get(PAGE).content.decode()):
        assert re.search(r"\s(?:style|on[a-z]+)=|<style", text) is None
        assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", text))
    answer = client.get(SECTION)
    assert "no-store" in answer.headers["Cache-Control"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]

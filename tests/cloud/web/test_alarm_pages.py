"""Alarms on pages: what they say, who sees them, and closing one by hand, with script and without."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from croody.accounts.models import Membership
from croody.alarms import kinds
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.fleet import services
from croody.telemetry.jobs.aside import set_aside

pytestmark = pytest.mark.django_db(databases="__all__")
PAGE, SECTION, ALL = "/robots/monitor/", "/robots/monitor/deteccion/", "/robots/monitor/alertas/"


def sign_in(client: Any, user: Any, role: str = "") -> None:
    if role:
        Membership.objects.filter(user=user).update(role=role)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("&nbsp;", " "))
    return text.replace("\u00a0", " ")


def close(client: Any, number: int, **more: Any) -> Any:
    return client.post(f"{ALL}{number}/cerrar/", {"de": "alarms"}, **more)


@pytest.fixture
def bump(people: Any) -> Alarm:
    return raise_alarm("rover-2", kinds.find("bumper_hit"), "", "medium", {}, datetime.now(UTC) - timedelta(minutes=5))


def test_an_alarm_says_what_since_when_why_what_to_do_and_what_ends_it(client, people, bump):
    sign_in(client, people.alice, "owner")
    for path in (PAGE, SECTION, ALL):
        text = text_of(client.get(path))
        said = r"Media rover-2 El robot avisa: golpe en el parachoques\. "
        said += r"Causa El programa del robot mandó .* Qué hacer Pregunta a quien programó"
        assert re.search(said, text), path
        assert re.search(r"desde hace 5 min .*Cerrar la alerta de rover-2 .*Termina sola tras 24 horas sin novedades\.", text), path


def test_a_person_of_the_team_closes_it_without_script_and_is_told(client, people, bump):
    sign_in(client, people.alice, "operator")
    answer = close(client, bump.pk, follow=True)
    assert answer.redirect_chain == [(ALL, 302)]
    text = text_of(answer)
    assert "Cerraste una alerta de rover-2. Si su causa vuelve, se abre de nuevo." in text
    assert "Nada abierto." in text
    assert re.search(r"Cerradas hace poco Media rover-2 Aviso del robot cerrada hace \d+ s", text)
    bump.refresh_from_db()
    assert bump.resolved_at is not None


def test_a_script_gets_the_section_back_and_keeps_its_place(client, people, bump):
    sign_in(client, people.alice, "operator")
    answer = close(client, bump.pk, headers={"X-Fragment": "team"})
    text = text_of(answer)
    assert answer.content.startswith(b'<div id="team">')
    assert "Cerraste una alerta de rover-2" in text
    assert "Ninguna alerta abierta" in text


def test_who_only_looks_has_no_button_and_strangers_no_address(client, people, bump):
    sign_in(client, people.bob, "viewer")
    assert "Cerrar" not in text_of(client.get(PAGE))
    assert close(client, bump.pk).status_code == 403
    sign_in(client, people.carlos)
    assert [client.get(ALL).status_code, close(client, bump.pk).status_code] == [404, 404]
    client.logout()
    assert [client.get(ALL).status_code, close(client, bump.pk).status_code] == [404, 404]
    assert Alarm.objects.filter(resolved_at=None).exists()


def test_what_ends_by_itself_has_no_button_and_says_so(client, people):
    alarm = raise_alarm("rover-2", "offline", "", "high", {}, datetime.now(UTC))
    sign_in(client, people.alice, "owner")
    text = text_of(client.get(ALL))
    assert "Cerrar" not in text
    assert "Termina sola cuando pase la causa." in text
    assert "cerrada ahora, volvería enseguida" in text_of(close(client, alarm.pk, follow=True))
    assert client.get(f"{ALL}{alarm.pk}/cerrar/").headers["Location"] == ALL, "an address for a form leads back"


def test_many_robots_are_one_row_that_names_them(client, people):
    for number in range(12):
        services.add_robot(f"amr-{number}", organisation=people.organisation)
        raise_alarm(f"amr-{number}", "offline", "", "high", {}, datetime.now(UTC))
    sign_in(client, people.alice, "owner")
    text = text_of(client.get(PAGE))
    assert "1 alerta abierta" in text
    assert "amr-0 , amr-1 , amr-10" in text
    assert "y 4 más" in text
    assert "12 robots dejaron de dar señales a la vez: empieza por la red que comparten." in text
    (only,) = re.findall(r"\d+ robots? dejaron? de dar|No da señales", text_of(client.get(f"{ALL}?robot=amr-3")))
    assert only == "No da señales", "asked for one robot, its own alarm is shown"
    english = text_of(client.get("/en" + PAGE))
    assert "12 robots fell silent at once: begin with the network they share." in english


def test_all_alarms_are_reached_by_pages_the_worst_first(client, people):
    now = datetime.now(UTC)
    for number in range(101):
        # One robot may not have so many.
        raise_alarm(f"rover-{1 + number % 2}", "gap", f"s{number}", "medium", {"missing": 1}, now)
    raise_alarm("rover-2", "conflict", "s", "high", {}, now - timedelta(hours=2))
    sign_in(client, people.alice, "owner")
    assert "y 92 alertas más" in text_of(client.get(PAGE))
    first, second = text_of(client.get(ALL)), text_of(client.get(f"{ALL}?pagina=2"))
    assert re.search(r"102 alertas abiertas .*Abiertas .*Alta rover-2", first)
    assert (first.count("Falta 1 registro"), second.count("Falta 1 registro")) == (99, 2)
    for odd in ("0", "-1", "x", "9" * 40, "7"):
        assert "102 alertas abiertas" in text_of(client.get(f"{ALL}?pagina={odd}"))


def test_what_a_job_set_aside_is_shown_to_its_team_alone(client, people):
    set_aside("roll_up", "rover-1", "what came at 12:00", "<b>value</b> too large", datetime.now(UTC))
    set_aside("roll_up", "somebody-elses", "what came at 13:00", "too large", datetime.now(UTC))
    sign_in(client, people.alice)
    text = text_of(client.get(ALL))
    assert "rover-1 Resúmenes what came at 12:00 &lt;b&gt;value&lt;/b&gt; too large" in text
    assert "somebody-elses" not in text
    assert "Lo que quedó aparte" not in text_of(client.get(f"{ALL}?robot=rover-2"))


def test_an_alarm_that_came_again_says_how_often(client, people):
    now = datetime.now(UTC)
    for _ in range(3):
        raise_alarm("rover-1", "outbox_refused", "", "low", {"count": 2}, now)
    resolve_alarm("rover-1", "outbox_refused", "never", now)
    sign_in(client, people.alice)
    assert "3 veces" in text_of(client.get(ALL))

"""The inbox's pages and forms, without a browser."""

import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from croody.accounts.models import Membership, Organisation
from croody.alarms.models import Alarm, Suppression
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.fleet import services
from croody.fleet.models import Robot

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def web_role(settings: Any) -> None:
    settings.ROOT_URLCONF = "croody.serve.urls.web"


@pytest.fixture
def world() -> SimpleNamespace:
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    elsewhere = Organisation.objects.create(name="Carlos's", slug="carlos")
    for number in range(1, 8):
        services.add_robot(f"rover-{number}", organisation=organisation)
    clients = {}
    for name, team, role in (("bob", organisation, "operator"), ("vera", organisation, "viewer"), ("carlos", elsewhere, "owner")):
        user = User.objects.create_user(name)
        Membership.objects.create(user=user, organisation=team, role=role)
        clients[name] = Client()
        clients[name].force_login(user)
    return SimpleNamespace(organisation=organisation, now=timezone.now(), **clients)


def conflict(world: SimpleNamespace, robot_id: str = "rover-1", severity: str = "high", minutes: float = 5, key: str = "s1") -> Alarm:
    return raise_alarm(robot_id, "conflict", key, severity, {}, world.now - timedelta(minutes=minutes))


def listed(client: Client, query: str = "") -> list[int]:
    page = client.get(f"/console/alerts/{query}").content.decode()
    return [int(number) for number in re.findall(r'<li id="alert-(\d+)"', page)]


def token(alarm: Alarm) -> str:
    alarm.refresh_from_db()
    return f"{alarm.pk}.{alarm.revision}"


def act(client: Client, verb: str, *alarms: Alarm, headers: dict[str, str] | None = None, **form: Any) -> Any:
    return client.post(f"/console/alerts/act/{verb}/", {"alarm": [token(alarm) for alarm in alarms], **form}, headers=headers)


def test_the_page_says_how_grave_in_a_sentence_in_both_languages(world):
    conflict(world, severity="critical")
    for number in (2, 3, 4):
        conflict(world, f"rover-{number}")
    assert "<h1>Una crítica, tres altas</h1>" in world.bob.get("/console/alerts/").content.decode()
    assert "<h1>One critical, three high</h1>" in world.bob.get("/en/console/alerts/").content.decode()


def test_an_empty_inbox_says_when_the_last_one_ended(world):
    assert "Nada abierto, y nada resuelto todavía." in world.bob.get("/console/alerts/").content.decode()
    conflict(world)
    resolve_alarm("rover-1", "conflict", "s1", world.now - timedelta(minutes=2))
    assert "La última se resolvió hace 2" in world.bob.get("/console/alerts/").content.decode()


def test_the_worst_comes_first_then_what_is_nobodys_then_what_has_waited_longest(world):
    young, old = conflict(world, "rover-1", minutes=1), conflict(world, "rover-2", minutes=9)
    taken, worst = conflict(world, "rover-3", minutes=30), conflict(world, "rover-4", "critical", minutes=0)
    act(world.bob, "assign", taken, person="me")
    assert listed(world.bob) == [worst.pk, old.pk, young.pk, taken.pk]


def test_pages_of_a_hundred_go_through_all_of_them_once(world, settings):
    now = world.now
    Alarm.objects.bulk_create(
        Alarm(
            robot_id=f"rover-{1 + n % 7}",
            kind="gap",
            key=f"s{n}",
            severity=("low", "high")[n % 2],
            opened_at=now - timedelta(seconds=n // 3),
            last_at=now,
        )
        for n in range(250)
    )
    seen: list[int] = []
    address = "/console/alerts/"
    while address:
        page = world.bob.get(address).content.decode()
        seen += [int(number) for number in re.findall(r'<li id="alert-(\d+)"', page)]
        after = re.search(r'rel="next" href="([^"]+)"', page)
        address = after[1].replace("&amp;", "&") if after else ""
    assert len(seen) == len(set(seen)) == 250
    Alarm.objects.update(resolved_at=now)
    assert len(listed(world.bob, "?tab=resolved")) == 100


@pytest.mark.parametrize(
    "query",
    ["?after=x", "?after=1.2.3", "?after=9.9.99999999999999999999.1", "?tab=what&severity=no", "?kind=%00&robot=%00", "?after=999.1.1.1"],
)
def test_an_address_that_says_nothing_right_is_the_inbox(world, query):
    conflict(world)
    assert world.bob.get(f"/console/alerts/{query}").status_code == 200


def test_filters_are_in_the_address(world):
    first, second = conflict(world), conflict(world, "rover-2", "critical")
    gap = raise_alarm("rover-2", "gap", "s1", "medium", {"missing": 1}, world.now)
    assert listed(world.bob, "?severity=critical") == [second.pk]
    assert listed(world.bob, "?kind=gap") == [gap.pk]
    assert listed(world.bob, "?robot=rover-1") == [first.pk]
    act(world.bob, "acknowledge", first)
    assert listed(world.bob, "?tab=mine") == [first.pk]
    assert set(listed(world.bob, "?who=nobody")) == {second.pk, gap.pk}
    assert "Ninguna con estos filtros." in world.bob.get("/console/alerts/?severity=low").content.decode()


def test_many_robots_are_one_row_and_found_by_the_name_of_one(world):
    for number in range(1, 7):
        raise_alarm(f"rover-{number}", "offline", "", "high", {}, world.now)
    storm = Alarm.objects.get(kind="many_robots")
    assert listed(world.bob) == [storm.pk]
    assert listed(world.bob, "?robot=rover-6") == [storm.pk]
    assert listed(world.bob, "?kind=offline") == [storm.pk]


def test_a_robot_in_maintenance_is_silent_until_its_end(world):
    alarm = conflict(world)
    Robot.objects.filter(pk="rover-1").update(maintenance_until=world.now + timedelta(hours=2))
    assert listed(world.bob) == []
    assert listed(world.bob, "?tab=snoozed") == [alarm.pk]
    assert "robot en mantenimiento" in world.bob.get("/console/alerts/?tab=snoozed").content.decode()
    Robot.objects.filter(pk="rover-1").update(maintenance_until=world.now - timedelta(seconds=1))
    assert listed(world.bob) == [alarm.pk]


def test_after_an_act_the_next_alert_is_shown_and_the_act_can_be_undone(world):
    first, second = conflict(world, minutes=9), conflict(world, "rover-2", minutes=8)
    answer = act(world.bob, "close", first, here=first.pk, query="?severity=high")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/console/alerts/{second.pk}/?severity=high")
    page = world.bob.get(answer.headers["Location"]).content.decode()
    assert "1 alerta resuelta." in page
    number = re.search(r'name="act" value="(\d+)"', page)
    assert number is not None
    answer = world.bob.post("/console/alerts/undo/", {"act": number[1]})
    assert answer.headers["Location"] == f"/console/alerts/{first.pk}/"
    assert listed(world.bob) == [first.pk, second.pk]


def test_several_are_done_at_once_and_undone_at_once(world):
    alarms = [conflict(world, f"rover-{number}") for number in range(1, 4)]
    answer = act(world.bob, "close", *alarms)
    page = world.bob.get(answer.headers["Location"]).content.decode()
    assert "3 alertas resueltas." in page
    undone = dict(re.findall(r'<input type="hidden" name="(act|together)" value="(\d+)"', page))
    world.bob.post("/console/alerts/undo/", undone)
    assert Alarm.objects.filter(resolved_at=None).count() == 3


def test_an_act_of_the_script_is_answered_with_what_it_changed_and_not_with_the_whole_page(world):
    alarms = [conflict(world, f"rover-{1 + number % 7}", minutes=90 - number, key=f"s{number}") for number in range(40)]
    whole = world.bob.get("/console/alerts/").content
    mark = re.search(rb'data-mark="([^"]+)"', whole)
    assert mark is not None
    headers = {"X-Fragment": "alert", "X-Mark": mark[1].decode()}
    answer = act(world.bob, "close", alarms[0], here=alarms[0].pk, headers=headers)
    said = answer.content.decode()
    assert answer.status_code == 200
    assert re.findall(r'<li id="alert-(\d+)"', said) == [str(alarms[1].pk)]
    assert f'data-order="{" ".join(str(alarm.pk) for alarm in alarms[1:])}"' in said
    assert f'data-address="/console/alerts/{alarms[1].pk}/"' in said
    assert "39 altas" in said
    assert "1 alerta resuelta." in said
    assert len(said.encode()) < len(whole) / 3
    # What the page shows is old: somebody else did something meanwhile, and it gets every row.
    answer = act(world.bob, "acknowledge", alarms[1], headers=headers)
    assert len(re.findall(r'<li id="alert-\d+"', answer.content.decode())) == 39


def test_what_an_undo_brings_back_is_in_its_answer_with_its_place(world):
    first, second = conflict(world, minutes=9), conflict(world, "rover-2", minutes=8)
    act(world.bob, "close", second)
    page = world.bob.get("/console/alerts/").content.decode()
    mark, number = (re.search(found, page) for found in (r'data-mark="([^"]+)"', r'name="act" value="(\d+)"'))
    assert mark is not None
    assert number is not None
    headers = {"X-Fragment": "alert", "X-Mark": mark[1]}
    said = world.bob.post("/console/alerts/undo/", {"act": number[1], "together": 1}, headers=headers).content.decode()
    assert f'data-order="{first.pk} {second.pk}"' in said
    assert f'<li id="alert-{second.pk}"' in said


def test_of_a_full_page_the_answer_has_the_row_that_came_in_at_its_end(world):
    alarms = [conflict(world, f"rover-{1 + number % 7}", minutes=200 - number, key=f"s{number}") for number in range(103)]
    page = world.bob.get("/console/alerts/").content.decode()
    mark = re.search(r'data-mark="([^"]+)"', page)
    assert mark is not None
    headers = {"X-Fragment": "alert", "X-Mark": mark[1]}
    said = act(world.bob, "close", *alarms[:2], headers=headers).content.decode()
    assert re.findall(r'<li id="alert-(\d+)"', said) == [str(alarms[place].pk) for place in (2, 100, 101)]


def test_the_second_of_two_people_sees_who_was_first_and_what_they_did(world):
    alarm = conflict(world)
    seen = token(alarm)
    act(world.bob, "acknowledge", alarm)
    other = User.objects.create_user("olga")
    Membership.objects.create(user=other, organisation=world.organisation, role="owner")
    olga = Client()
    olga.force_login(other)
    answer = olga.post("/console/alerts/act/close/", {"alarm": seen, "here": alarm.pk})
    page = olga.get(answer.headers["Location"]).content.decode()
    assert "bob fue antes" in page
    assert "la reconoció" in page
    alarm.refresh_from_db()
    assert alarm.resolved_at is None


def test_an_alarm_that_somebody_acknowledged_keeps_the_place_of_the_button_and_says_who_it_was(world):
    alarm = conflict(world)
    act(world.bob, "acknowledge", alarm)
    for prefix, word, who in (("/es", "Reconocida", "La reconoció bob el"), ("/en", "Acknowledged", "bob acknowledged it on")):
        page = world.bob.get(f"{prefix}/console/alerts/{alarm.pk}/").content.decode()
        assert f'<button disabled aria-describedby="why-open">{word}</button>' in page
        assert who in page
        assert 'data-key="a"' not in page


def test_a_false_alarm_is_listed_among_the_exceptions_counted_and_ended(world):
    act(world.bob, "false", conflict(world), scope="robot", days="7")
    conflict(world, key="s2")
    assert listed(world.bob) == []
    page = world.bob.get("/console/alerts/exceptions/").content.decode()
    assert "2 alertas contadas" in page
    assert "Terminar" not in world.vera.get("/console/alerts/exceptions/").content.decode()
    held = Suppression.objects.get()
    assert world.vera.post(f"/console/alerts/exceptions/{held.pk}/end/").status_code == 403
    assert world.carlos.post(f"/console/alerts/exceptions/{held.pk}/end/").status_code == 404
    assert world.bob.post(f"/console/alerts/exceptions/{held.pk}/end/").status_code == 303
    assert len(listed(world.bob)) == 1


def test_a_viewer_looks_and_is_told_who_may_act_and_a_stranger_knows_of_nothing(world):
    alarm = conflict(world)
    page = world.vera.get(f"/console/alerts/{alarm.pk}/").content.decode()
    assert "Solo quien opera los robots" in page
    assert "/act/comment/" not in page
    assert world.carlos.get(f"/console/alerts/{alarm.pk}/").status_code == 404
    for verb in ("acknowledge", "assign", "snooze", "close", "false", "comment", "reopen"):
        form = {"person": "me", "scope": "cause", "text": "x"}
        assert act(world.vera, verb, alarm, **form).status_code == 403, verb
        assert act(world.carlos, verb, alarm, **form).status_code == 404, verb
    assert world.bob.post("/console/alerts/act/delete/", {"alarm": token(alarm)}).status_code == 404


def test_what_ends_by_itself_says_so_beside_the_disabled_button_and_when_asked_anyway(world):
    alarm = raise_alarm("rover-1", "offline", "", "high", {}, world.now)
    page = world.bob.get(f"/console/alerts/{alarm.pk}/").content.decode()
    assert re.search(r"<button [^>]*data-key=\"r\" disabled", page)
    assert "No se puede resolver a mano" in page
    answer = act(world.bob, "close", alarm, here=alarm.pk)
    assert "volvería enseguida" in world.bob.get(answer.headers["Location"]).content.decode()


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("false", {"scope": "everything"}),
        ("comment", {"text": ""}),
        ("comment", {"text": "x" * 3000}),
        ("assign", {"person": "999999"}),
        ("assign", {"person": "-1"}),
        ("snooze", {"minutes": "9" * 18}),
        ("false", {"scope": "cause", "days": "9" * 18}),
    ],
)
def test_a_form_that_says_nonsense_is_answered_on_the_page_and_never_a_failure(world, verb: str, form: dict[str, str]):
    alarm = conflict(world)
    answer = act(world.bob, verb, alarm, here=alarm.pk, **form)
    assert answer.status_code == 303
    assert world.bob.get(answer.headers["Location"]).status_code == 200


def test_hostile_words_of_a_robot_stay_words(world):
    from croody.telemetry.kinds import of_robots_word

    detail = {"text": "<script>alert(1)</script>" * 50, "drivers": {"<b>": 0.9, "x" * 300: 1e308}, "metrics": [None, {"a": 1}, ""]}
    alarm = raise_alarm("rover-1", of_robots_word("melted"), "", "high", detail, world.now)
    answer = world.bob.get(f"/console/alerts/{alarm.pk}/")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_ten_thousand_alarms_cost_a_page_the_same_number_of_questions(world, django_assert_max_num_queries: Callable[..., Any]):
    now = world.now
    Alarm.objects.bulk_create(
        (
            Alarm(robot_id=f"rover-{1 + n % 7}", kind="gap", key=f"s{n}", severity="low", opened_at=now - timedelta(seconds=n), last_at=now)
            for n in range(10_000)
        ),
        batch_size=1000,
    )
    with django_assert_max_num_queries(45):
        page = world.bob.get("/console/alerts/").content.decode()
    assert "10\N{NO-BREAK SPACE}000 bajas" in page
    assert len(re.findall(r'<li id="alert-', page)) == 100


def many(world: SimpleNamespace, count: int, kind: str = "conflict", severity: str = "low") -> None:
    at = world.now
    Alarm.objects.bulk_create(
        Alarm(
            robot_id=f"rover-{1 + n % 7}", kind=kind, key=f"m{n}", severity=severity, opened_at=at - timedelta(minutes=60 + n), last_at=at
        )
        for n in range(count)
    )


def asked_of_all(client: Client, query: str = "") -> tuple[str, dict[str, str]]:
    page = client.get(f"/console/alerts/all/{query}").content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(query|upto)" value="([^"]*)"', page))
    return page, {name: value.replace("&amp;", "&") for name, value in fields.items()}


def test_what_matches_on_every_page_is_told_first_done_at_once_and_undone_at_once(world, monkeypatch):
    from croody.console.alerts import acts, all_that_match

    # However busy the machine is.
    monkeypatch.setattr(all_that_match, "RUN_S", 1000.0)
    monkeypatch.setattr(acts, "RUN_S", 1000.0)
    many(world, 130)
    conflict(world, "rover-2", "critical")
    assert "Con las 130 que coinciden…" in world.bob.get("/console/alerts/?severity=low").content.decode()
    page, form = asked_of_all(world.bob, "?severity=low")
    assert ("<h1>130 alertas coinciden</h1>" in page, "Reconocer 130" in page, "Abiertas · Baja" in page) == (True, True, True)
    came_since = conflict(world, "rover-3", "low", key="new")
    answer = world.bob.post("/console/alerts/all/acknowledge/", form, follow=True).content.decode()
    assert "130 alertas reconocidas." in answer
    assert Alarm.objects.filter(acknowledged_at=None).count() == 2
    came_since.refresh_from_db()
    assert came_since.acknowledged_at is None
    undone = dict(re.findall(r'<input type="hidden" name="(act|together)" value="(\d+)"', answer))
    assert "Deshecho en 130 alertas." in world.bob.post("/console/alerts/undo/", undone, follow=True).content.decode()
    assert Alarm.objects.filter(acknowledged_at=None).count() == 132


def test_an_undo_that_takes_too_long_says_what_is_left_and_goes_on_with_it(world, monkeypatch):
    from croody.console.alerts import acts

    many(world, 3)
    answer = world.bob.post("/console/alerts/all/acknowledge/", asked_of_all(world.bob)[1], follow=True).content.decode()
    monkeypatch.setattr(acts, "RUN_S", -1.0)
    for left in (2, 1, 0):
        undone = dict(re.findall(r'<input type="hidden" name="(act|together)" value="(\d+)"', answer.partition("data-toast")[2]))
        answer = world.bob.post("/console/alerts/undo/", undone, follow=True).content.decode()
        assert "Deshecho en 1 alerta." in answer
        assert ("hazlo otra vez para seguir." in answer) == bool(left)
        assert Alarm.objects.filter(acknowledged_at=None).count() == 3 - left


def test_only_so_many_are_done_in_one_go_the_worst_first_and_what_is_left_is_said(world, monkeypatch):
    from croody.console.alerts import all_that_match

    monkeypatch.setattr(all_that_match, "MOST_AT_ONCE", 5)
    many(world, 7)
    worst = conflict(world, "rover-2", "critical")
    page, form = asked_of_all(world.bob)
    assert "De una vez van 5, las más graves primero." in page
    answer = world.bob.post("/console/alerts/all/assign/", {**form, "person": "me"}, follow=True).content.decode()
    assert ("5 alertas asignadas." in answer, "Quedan 3: hazlo otra vez para seguir." in answer) == (True, True)
    worst.refresh_from_db()
    assert worst.assignee is not None


def test_what_ends_by_itself_is_not_counted_among_what_is_closed(world):
    many(world, 3)
    many(world, 2, kind="offline", severity="high")
    page, form = asked_of_all(world.bob)
    assert ("<h1>5 alertas coinciden</h1>" in page, "Resolver 3<" in page, "Asignarme 5<" in page) == (True, True, True)
    assert "3 alertas resueltas." in world.bob.post("/console/alerts/all/close/", form, follow=True).content.decode()
    assert set(Alarm.objects.filter(resolved_at=None).values_list("kind", flat=True)) == {"offline"}


def test_who_only_looks_does_nothing_to_many_and_strangers_match_nothing(world):
    many(world, 3)
    page, _form = asked_of_all(world.vera)
    assert ("<h1>3 alertas coinciden</h1>" in page, "Reconocer" in page.partition("<main")[2].partition("</main>")[0]) == (True, False)
    assert "que coinciden…" not in world.vera.get("/console/alerts/").content.decode()
    form = {"query": "", "upto": "999999"}
    assert world.vera.post("/console/alerts/all/acknowledge/", form).status_code == 403
    assert "Ninguna alerta coincide" in asked_of_all(world.carlos)[0]
    assert world.carlos.post("/console/alerts/all/acknowledge/", form).status_code == 303
    assert world.bob.post("/console/alerts/all/false/", form).status_code == 404
    assert world.bob.get("/console/alerts/all/?tab=resolved").status_code == 404
    assert not Alarm.objects.exclude(acknowledged_at=None).exists()
    assert world.carlos.post("/console/alerts/undo/", {"act": "1", "together": "1"}).status_code == 404


def test_how_the_robots_of_one_alarm_came_is_drawn_and_said(world):
    for number in range(1, 8):
        raise_alarm(f"rover-{number}", "conflict", "s1", "high", {}, world.now - timedelta(seconds=40 - 2 * number))
    storm = Alarm.objects.get(kind="many_robots")
    page = world.bob.get(f"/console/alerts/{storm.pk}/").content.decode()
    assert "7 robots en 12\N{NO-BREAK SPACE}s; hasta 1 en 1\N{NO-BREAK SPACE}s" in page
    assert len(re.findall(r"<rect x=", page)) == 7
    alone = raise_alarm("rover-1", "gap", "s2", "low", {}, world.now)
    assert "Cómo llegaron" not in world.bob.get(f"/console/alerts/{alone.pk}/").content.decode()


@pytest.mark.parametrize("seconds", [0, 1, 39, 40, 3600, 10**6, 10**9])
def test_whatever_time_they_take_to_come_there_are_few_bars_and_each_fits(seconds: int):
    from croody.console.alerts import arrivals

    at = timezone.now()
    found = arrivals.drawn([at, at, at + timedelta(seconds=seconds / 2), at + timedelta(seconds=seconds)], "es")
    assert found is not None
    assert len(found["bars"]) <= 4
    assert all(bar.x >= 0 and bar.x + bar.width <= arrivals.WIDTH and 0 < bar.height <= arrivals.HEIGHT for bar in found["bars"])
    assert arrivals.drawn([at], "es") is None

"""Every act of the console, read from its addresses, as five kinds of people play it: who is offered a button may press it, and who may is
offered one; what is done has a name beside it in the audit log, and what is refused says why.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from croody.accounts.models import Membership, Organisation
from croody.alarms.services import raise_alarm
from croody.audit.models import Entry
from croody.fleet import services
from croody.fleet.models import Robot, Site
from croody.telemetry.ingest import services as ingest
from croody_contract.messages import Born, Reading
from tests.cloud.telemetry.helpers import batch
from tests.cloud.test_who_may import PAGES, pages

pytestmark = pytest.mark.django_db(databases="__all__")
PEOPLE = ("viewer", "operator", "maintainer", "owner", "stranger")
SEES, ACTS, CONFIGURES, ADMINISTERS = PEOPLE[:4], PEOPLE[1:4], PEOPLE[2:4], PEOPLE[3:4]


class Play(NamedTuple):
    """How an act is played. `on`: the page that offers it; `button`: what stands there for it, when not the act's own address.

    `mine`: it is about who does it alone, so no log has it.
    """

    who: tuple[str, ...]
    on: str
    form: dict[str, Any]
    action: str = ""
    button: str = ""
    mine: bool = False


def _alarm(_world: SimpleNamespace) -> Any:
    return raise_alarm("rover-1", "conflict", "s1", "high", {}, timezone.now() - timedelta(minutes=5))


def _letter(_world: SimpleNamespace) -> Any:
    from croody.telemetry.models import DeadLetter
    from croody_contract.batch import payload_hash

    body = b'{"data":{"a":1}}'
    values = {"reason": "unknown_robot", "detail": "", "body": body, "hash": payload_hash(body), "received_at": timezone.now()}
    return DeadLetter.objects.create(robot_id="rover-1", **values)


def _site(world: SimpleNamespace) -> Any:
    return Site.objects.create(organisation=world.team, slug="bodega", name="Bodega")


def _gone(world: SimpleNamespace) -> Any:
    return Robot.objects.create(pk="gone-1", organisation=world.team, deleted_at=timezone.now())


def _alarm_act(form: dict[str, Any] | None = None) -> Callable[[SimpleNamespace], Play]:
    def play(world: SimpleNamespace) -> Play:
        alarm = _alarm(world)
        return Play(ACTS, f"/console/alerts/{alarm.pk}/", {"alarm": f"{alarm.pk}.{alarm.revision}", **(form or {})})

    return play


def _on_robot(who: tuple[str, ...], form: dict[str, Any] | None = None, page: str = "") -> Callable[[SimpleNamespace], Play]:
    return lambda world: Play(who, f"/console/robots/rover-1/{page}", form or {})


def _on_access(form: dict[str, Any]) -> Callable[[SimpleNamespace], Play]:
    return lambda world: Play(ADMINISTERS, "/console/access/alices/", form)


def _by_its_agent(who: tuple[str, ...]) -> Callable[[SimpleNamespace], Play]:
    """What a robot does only whose agent says that it can."""

    def play(_world: SimpleNamespace) -> Play:
        now = timezone.now()
        told = [Born(agent="croody-edge 9", capabilities=["logs", "rotate"], ts=now), Reading(data={"TEMP": 1.0}, ts=now)]
        ingest.ingest_relay(batch("rover-1", "a-stream", 1, told), now=now)
        return Play(who, "/console/robots/rover-1/", {})

    return play


def _robot_letter(world: SimpleNamespace) -> Play:
    return Play(ACTS, "/console/robots/rover-1/", {}, f"/console/robots/rover-1/letters/{_letter(world).pk}/replay/")


def _delivery_letter(verb: str) -> Callable[[SimpleNamespace], Play]:
    return lambda world: Play(ACTS, "/console/delivery/rover-1/", {}, f"/console/delivery/rover-1/letters/{_letter(world).pk}/{verb}/")


def _many(verb: str, who: tuple[str, ...], form: dict[str, Any], *, mine: bool = False) -> Callable[[SimpleNamespace], Play]:
    return lambda world: Play(who, "/console/many/", {"robots": "rover-1", **form}, f"/console/many/{verb}/", mine=mine)


def _invitation(world: SimpleNamespace) -> Play:
    from croody.accounts import invitations
    from croody.audit.actor import SYSTEM

    made, _secret = invitations.invite(world.team, role=Membership.Role.VIEWER, email="", now=timezone.now(), actor=SYSTEM)
    return Play(ADMINISTERS, "/console/access/alices/", {}, f"/console/access/alices/invitations/{made.pk}/revoke/")


def _member(verb: str, form: dict[str, Any]) -> Callable[[SimpleNamespace], Play]:
    return lambda world: Play(ADMINISTERS, "/console/access/alices/", form, f"/console/access/alices/members/{world.other.pk}/{verb}/")


def _token(world: SimpleNamespace) -> Play:
    from croody.accounts import tokens
    from croody.audit.actor import SYSTEM

    values: dict[str, Any] = {"scopes": ["read"], "days": 1, "now": timezone.now(), "role": Membership.Role.VIEWER, "actor": SYSTEM}
    made = tokens.make_service(world.team, "t", **values)[0]
    return Play(ADMINISTERS, "/console/access/alices/", {}, f"/console/access/alices/tokens/{made.pk}/revoke/")


def _exception(world: SimpleNamespace) -> Play:
    from croody.alarms.models import Suppression

    now = timezone.now()
    made = {"organisation": world.team, "scope": "robot", "robot_id": "rover-1", "kind": "conflict", "created_at": now}
    row = Suppression.objects.create(**made, expires_at=now + timedelta(hours=1))
    return Play(ACTS, "/console/alerts/exceptions/", {}, f"/console/alerts/exceptions/{row.pk}/end/")


def _incident(world: SimpleNamespace) -> Play:
    from croody.detection.models import Concern, Incident

    who = {"offender_kind": "account", "offender": "rover-1", "worst": "spoofing", "severity": "high"}
    evidence, at = {"spoofing": {"value": 3, "limit": 1, "seconds": 60}}, timezone.now()
    made = Incident.objects.create(**who, first_at=at, last_at=at, evidence=evidence, robots=["rover-1"])
    Concern.objects.create(incident=made, organisation=world.team)
    return Play(ACTS, "/console/detection/", {"verdict": "true"}, f"/console/detection/incidents/{made.pk}/verdict/")


def _maintained(world: SimpleNamespace) -> Play:
    Robot.objects.filter(pk="rover-1").update(maintenance_until=timezone.now() + timedelta(hours=1))
    return Play(ACTS, "/console/robots/rover-1/maintenance/", {})


def _all_alarms(verb: str) -> Callable[[SimpleNamespace], Play]:
    def play(world: SimpleNamespace) -> Play:
        alarm = _alarm(world)
        return Play(ACTS, "/console/alerts/all/", {"upto": alarm.pk, "person": "me", "minutes": "60"}, f"/console/alerts/all/{verb}/")

    return play


def _site_act(who: tuple[str, ...], form: dict[str, Any], verb: str = "") -> Callable[[SimpleNamespace], Play]:
    def play(world: SimpleNamespace) -> Play:
        here = f"/console/sites/{_site(world).pk}/"
        return Play(who, here, form, f"{here}{verb}")

    return play


def _moved(world: SimpleNamespace) -> Play:
    _site(world)
    return Play(CONFIGURES, "/console/robots/rover-1/edit/", {"site": "bodega"})


def _brought_back(world: SimpleNamespace) -> Play:
    _gone(world)
    return Play(ADMINISTERS, "/console/robots/gone-1/", {}, "/console/robots/gone-1/bring-back/")


def _closed_on_the_robot(world: SimpleNamespace) -> Play:
    return Play(ACTS, "/console/robots/rover-1/", {}, f"/console/robots/rover-1/alarms/{_alarm(world).pk}/close/")


def _handover(world: SimpleNamespace) -> Play:
    form = {"team": world.team.pk, "note": "seen"}
    return Play(ACTS, "/console/handover/", form, button=f'name="team" value="{world.team.pk}"')


RULE = {"kind": "threshold", "name": "Motor caliente", "metric": "motor_temp_c", "limit": "80", "severity": "high", "enabled": "on"}


def _rule(form: dict[str, Any], verb: str = "", *, deleted: bool = False) -> Callable[[SimpleNamespace], Play]:
    def play(world: SimpleNamespace) -> Play:
        from croody.notices.models import Rule

        maker = Client()
        maker.force_login(world.people["maintainer"])
        assert maker.post("/console/rules/new/", RULE).status_code == 303
        row = Rule.objects.get()
        if deleted:
            maker.post(f"/console/rules/{row.pk}/delete/")
        return Play(CONFIGURES, "/console/rules/" if deleted else f"/console/rules/{row.pk}/", form, f"/console/rules/{row.pk}/{verb}")

    return play


#: Address -> how it is played.
PLAYS: dict[str, Callable[[SimpleNamespace], Play] | list[tuple[str, Callable[[SimpleNamespace], Play]]]] = {
    "console/robots/<robot:robot_id>/logs/": _by_its_agent(ACTS),
    "console/robots/<robot:robot_id>/rotate-itself/": _by_its_agent(CONFIGURES),
    "console/robots/<robot:robot_id>/notes/": _on_robot(ACTS, {"notes": "seen"}),
    "console/robots/<robot:robot_id>/rotate/": _on_robot(CONFIGURES),
    "console/robots/new/<robot:robot_id>/claim/": _on_robot(CONFIGURES),
    "console/robots/<robot:robot_id>/revoke/": _on_robot(ADMINISTERS, {"robot_id": "rover-1"}),
    "console/robots/<robot:robot_id>/bring-back/": _brought_back,
    "console/robots/<robot:robot_id>/letters/<int:number>/replay/": _robot_letter,
    "console/robots/<robot:robot_id>/alarms/<int:number>/close/": _closed_on_the_robot,
    "console/delivery/<robot:robot_id>/letters/<int:number>/replay/": _delivery_letter("replay"),
    "console/delivery/<robot:robot_id>/letters/<int:number>/discard/": _delivery_letter("discard"),
    "console/access/<slug:organisation>/invite/": _on_access({"email": "", "role": "viewer"}),
    "console/access/<slug:organisation>/invitations/<int:number>/revoke/": _invitation,
    "console/access/<slug:organisation>/members/<int:number>/role/": _member("role", {"role": "operator"}),
    "console/access/<slug:organisation>/members/<int:number>/remove/": _member("remove", {}),
    "console/access/<slug:organisation>/settings/": _on_access({"name": "Alice and others"}),
    "console/access/<slug:organisation>/tokens/make/": _on_access({"name": "t", "scope": ["read"], "role": "viewer", "days": "30"}),
    "console/access/<slug:organisation>/tokens/<int:number>/revoke/": _token,
    "console/many/<slug:verb>/": [
        ("maintain", _many("maintain", ACTS, {"hours": "2"})),
        ("tag", _many("tag", CONFIGURES, {"tags": "blue"})),
        ("star", _many("star", SEES, {}, mine=True)),
    ],
    "console/robots/<robot:robot_id>/star/": lambda world: Play(
        SEES, "/console/", {"starred": "1"}, "/console/robots/rover-1/star/", mine=True
    ),
    "console/robots/<robot:robot_id>/maintenance/start/": _on_robot(ACTS, {"hours": "2"}, "maintenance/"),
    "console/robots/<robot:robot_id>/maintenance/end/": _maintained,
    "console/robots/<robot:robot_id>/edit/label/": _on_robot(CONFIGURES, {"label": "Ana"}, "edit/"),
    "console/robots/<robot:robot_id>/edit/tags/": _on_robot(CONFIGURES, {"tags": "blue"}, "edit/"),
    "console/robots/<robot:robot_id>/edit/site/": _moved,
    "console/robots/<robot:robot_id>/edit/share/": _on_robot(ADMINISTERS, {"shared": "1"}, "edit/"),
    "console/detection/incidents/<int:number>/verdict/": _incident,
    "console/sites/<int:number>/": _site_act(CONFIGURES, {"name": "Otra", "slug": "bodega"}),
    "console/sites/<int:number>/delete/": _site_act(ADMINISTERS, {}, "delete/"),
    "console/alerts/act/<slug:verb>/": [
        (verb, _alarm_act(form))
        for verb, form in {
            "acknowledge": {},
            "close": {},
            "assign": {"person": "me"},
            "snooze": {"minutes": "60"},
            "false": {"scope": "robot", "days": "7"},
            "comment": {"text": "seen"},
        }.items()
    ],
    "console/alerts/all/<slug:verb>/": [(verb, _all_alarms(verb)) for verb in ("acknowledge", "close", "snooze", "assign")],
    "console/alerts/exceptions/<int:number>/end/": _exception,
    "console/rules/<int:number>/": _rule({**RULE, "name": "Otro"}),
    "console/rules/<int:number>/delete/": _rule({}, "delete/"),
    "console/rules/<int:number>/bring-back/": _rule({}, "bring-back/", deleted=True),
    "console/handover/sign/": _handover,
}
#: Acts that are played in a test of their own, for what they need is more than a fleet of one robot.
ELSEWHERE = {
    "console/organisations/new/": "test_access_page",
    "console/views/": "test_console_fleet",
    "console/views/<int:number>/forget/": "test_console_fleet",
    "console/many/undo/": "test_many_robots",
    "console/alerts/undo/": "test_console_alerts",
    "console/detection/<int:number>/": "test_console_detection",
    "console/detection/exceptions/<int:number>/end/": "test_console_detection",
    "console/detection/models/<int:number>/": "test_console_detection",
    "console/detection/calibrations/<int:number>/confirm/": "test_console_detection",
    "console/rules/mine/browsers/add/": "test_push",
    "console/rules/mine/browsers/<int:number>/delete/": "test_push",
    "console/rules/channels/<int:number>/delete/": "test_rules_page",
    "console/rules/channels/<int:number>/test/": "test_rules_page",
}
CASES = [(path, verb, play) for path, plays in PLAYS.items() for verb, play in (plays if isinstance(plays, list) else [("", plays)])]


@pytest.fixture
def world(settings: Any) -> SimpleNamespace:
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    team = Organisation.objects.create(name="Alice's", slug="alices")
    elsewhere = Organisation.objects.create(name="Carlos's", slug="carlos")
    services.add_robot("rover-1", organisation=team)
    people = {}
    for role in PEOPLE:
        people[role] = User.objects.create_user(f"the-{role}")
        mine, what = (elsewhere, "owner") if role == "stranger" else (team, role)
        Membership.objects.create(user=people[role], organisation=mine, role=what)
    other = User.objects.create_user("the-other")
    Membership.objects.create(user=other, organisation=team, role="viewer")
    return SimpleNamespace(team=team, people=people, other=other, now=datetime.now(UTC))


@contextmanager
def undone() -> Iterator[None]:
    with ExitStack() as around:
        for alias in connections:
            around.enter_context(transaction.atomic(using=alias))
        yield
        for alias in connections:
            transaction.set_rollback(True, using=alias)


def test_every_act_of_the_console_is_played_here_or_named():
    known = {path for path, view in pages().items() if path.startswith("console/") and getattr(view, "is_act", False)}
    known |= {path for path, (method, *_) in PAGES.items() if path.startswith("console/") and method == "POST"}
    assert known - set(PLAYS) - set(ELSEWHERE) == set()
    assert set(PLAYS) & set(ELSEWHERE) == set()


@pytest.mark.parametrize(("path", "verb", "how"), CASES, ids=[f"{path}{verb}" for path, verb, _ in CASES])
def test_who_is_offered_an_act_may_do_it_and_it_has_their_name(path: str, verb: str, how: Callable[..., Play], world: SimpleNamespace):
    faults = []
    for kind in PEOPLE:
        with undone():
            play = how(world)
            action = play.action or "/" + path.replace("<robot:robot_id>", "rover-1").replace("<slug:organisation>", "alices")
            action = action.replace("<slug:verb>", verb)
            client = Client()
            client.force_login(world.people[kind])
            shown = client.get(play.on)
            text = unescape(shown.content.decode()) if shown.status_code == 200 else ""
            form = f'method="post" action="{action}"' if action == play.on else action
            offered = (play.button or form) in text
            last = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            answer = client.post(action, play.form)
            logged = Entry.objects.filter(pk__gt=last, user_id=world.people[kind].pk).exists()
            may = kind in play.who
            if offered != may:
                faults.append(f"{kind}: {'offered' if offered else 'not offered'} on {play.on} ({shown.status_code})")
            if may and (answer.status_code not in (200, 302, 303) or not (logged or play.mine)):
                faults.append(f"{kind}: {answer.status_code}, {'in' if logged else 'not in'} the log")
            if not may and (answer.status_code in (200, 302) or logged):
                faults.append(f"{kind}: was let, {answer.status_code}")
            if answer.status_code == 403 and "<h1" not in answer.content.decode():
                faults.append(f"{kind}: refused without a word")
    assert faults == []

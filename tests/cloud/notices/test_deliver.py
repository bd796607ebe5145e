"""Alarms reach people: by mail through a real mail server, by webhook to a real receiver, when and how often a channel wants."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth.models import User

from croody.accounts.caller import of_user
from croody.accounts.models import Membership, Organisation
from croody.alarms import acts, suppressions
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.audit.actor import Actor
from croody.fleet import services as fleet
from croody.fleet.models import Robot
from croody.notices import deliver, messenger, services
from croody.notices.models import Channel, Notice
from croody.notices.spec import BadRule
from croody.notices.webhook import Failed, signature
from croody.telemetry.kinds import of_robots_word
from tools.stack import Ports

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def team() -> SimpleNamespace:
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    elsewhere = Organisation.objects.create(name="Carlos's", slug="carlos")
    fleet.add_robot("rover-1", organisation=organisation)
    fleet.add_robot("carlos-1", organisation=elsewhere)
    user = User.objects.create_user("marta")
    Membership.objects.create(user=user, organisation=organisation, role="maintainer")
    return SimpleNamespace(organisation=organisation, caller=of_user(user), by=Actor("person", user_id=user.pk, name="marta"))


def channel(team: SimpleNamespace, kind: str, target: str, **given: Any) -> Channel:
    made = {"name": "Channel", "kind": kind, "target": target, "severity": "low", "language": "en", **given}
    return services.save_channel(team.caller, made, by=team.by, now=after(-60))


def conflict(robot_id: str = "rover-1", key: str = "s1", at: float = 0, severity: str = "high") -> Alarm:
    return raise_alarm(robot_id, "conflict", key, severity, {}, after(at))


def run(at: float) -> None:
    deliver.tell(after(at))
    deliver.send(after(at))


def statuses() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("status", flat=True))


class Kept:
    """Keeps what it is handed. `refuse`: what it says to each recipient instead."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.to: list[list[str]] = []
        self.refuse = ""
        self.refuse_of: dict[str, str] = {}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.to.append(envelope.rcpt_tos)
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refuse or address in self.refuse_of:
            return self.refuse or self.refuse_of[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def post_office(settings: Any) -> Iterator[Kept]:
    kept = Kept()
    controller = Controller(kept, hostname="127.0.0.1", port=Ports.free().web)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield kept
    controller.stop()


class Hook:
    """A receiver. `status`: what it answers."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], bytes]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"


@pytest.fixture
def hook(settings: Any) -> Iterator[Hook]:
    settings.ENV = dataclasses.replace(settings.ENV, notice_networks=(ip_network("127.0.0.0/8"),), public_url="https://croody.example")
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_an_alarm_reaches_each_address_by_mail_once_in_the_language_of_the_channel(team, post_office):
    channel(team, "mail", "ana@example.org, leo@example.org")
    alarm = conflict()
    run(1)
    run(2)
    message, other = post_office.messages
    assert message["Subject"] == other["Subject"]
    assert message["Subject"].startswith("High · rover-1: ")
    assert message["Message-ID"] == other["Message-ID"] == f"<notice.{Notice.objects.get().pk}.{int(after(1).timestamp())}@127.0.0.1>"
    assert post_office.to == [["ana@example.org"], ["leo@example.org"]]
    assert f"/console/alerts/{alarm.pk}/" in message.get_content()
    assert statuses() == ["sent"]


def test_a_mail_server_that_refuses_for_now_is_asked_again_and_one_that_refuses_for_good_is_not(team, post_office):
    channel(team, "mail", "ana@example.org")
    conflict()
    post_office.refuse = "451 later"
    run(1)
    row = Notice.objects.get()
    assert (row.status, row.attempts, row.next_at) == ("pending", 1, after(11))
    post_office.refuse = ""
    run(12)
    assert statuses() == ["sent"]
    conflict(key="s2", at=20)
    post_office.refuse = "550 no such person"
    run(21)
    assert statuses() == ["sent", "failed"]
    assert "550" in Notice.objects.get(status="failed").answer


def test_of_several_addresses_those_that_were_refused_are_tried_again_alone_and_told_of(team, post_office):
    channel(team, "mail", "ana@example.org, leo@example.org, eva@example.org")
    conflict()
    post_office.refuse_of = {"leo@example.org": "451 later", "eva@example.org": "550 no such person"}
    run(1)
    row = Notice.objects.get()
    assert (row.status, row.reached, post_office.to) == ("pending", "ana@example.org", [["ana@example.org"]])
    del post_office.refuse_of["leo@example.org"]
    run(12)
    row = Notice.objects.get()
    assert (row.status, post_office.to) == ("failed", [["ana@example.org"], ["leo@example.org"]])
    assert row.answer.startswith("eva@example.org: SMTPRecipientsRefused")


def test_where_no_mail_server_is_named_nothing_is_told_to_have_gone(team, settings):
    settings.EMAIL_BACKEND = "croody.accounts.mailer.NowhereBackend"
    channel(team, "mail", "ana@example.org")
    conflict()
    run(1)
    assert (statuses(), "CROODY_SMTP_URL" in Notice.objects.get().answer) == (["pending"], True)


def test_no_mail_server_at_all_is_an_answer_in_the_log(team, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    channel(team, "mail", "ana@example.org")
    conflict()
    run(1)
    row = Notice.objects.get()
    assert (row.status, row.attempts) == ("pending", 1)
    assert "Refused" in row.answer


def test_what_a_robot_says_cannot_add_a_header_to_a_mail(team, post_office):
    channel(team, "mail", "ana@example.org")
    raise_alarm("rover-1", of_robots_word("melted"), "", "high", {"text": "x\r\nBcc: all@example.org"}, NOW)
    run(1)
    (message,) = post_office.messages
    assert message["Bcc"] is None


def test_a_webhook_gets_the_alarm_signed_and_who_it_is_can_be_proved(team, hook):
    made = channel(team, "webhook", hook.url)
    alarm = conflict()
    run(1)
    ((headers, body),) = hook.got
    assert headers["Croody-Signature"] == signature(made.secret, int(after(1).timestamp()), body)
    told = json.loads(body)
    about = told["alarm"]
    assert (told["type"], about["id"], about["robot_id"], about["kind"]) == ("alarm", alarm.pk, "rover-1", "conflict")
    assert told["alarm"]["address"] == f"https://croody.example/console/alerts/{alarm.pk}/"
    assert headers["Croody-Notice"] == str(Notice.objects.get().pk)


def test_a_receiver_that_fails_is_asked_again_later_and_later_and_then_no_more(team, hook):
    channel(team, "webhook", hook.url)
    conflict()
    hook.status = 503
    at, waits = 1.0, []
    for _ in range(len(deliver.BACKOFF_S)):
        run(at)
        row = Notice.objects.get()
        waits.append((row.next_at - after(at)).total_seconds())
        run(at + waits[-1] - 1)
        at += waits[-1]
    assert waits == list(deliver.BACKOFF_S)
    run(at)
    row = Notice.objects.get()
    assert (row.status, row.attempts, len(hook.got)) == ("failed", 6, 6)
    hook.status = 204
    run(at + 9999)
    assert len(hook.got) == 6


def test_a_receiver_on_our_own_network_is_refused_for_good_and_the_log_says_how_to_allow_it(team, hook, settings):
    channel(team, "webhook", hook.url)
    settings.ENV = dataclasses.replace(settings.ENV, notice_networks=())
    conflict()
    run(1)
    row = Notice.objects.get()
    assert (row.status, hook.got) == ("failed", [])
    assert "CROODY_NOTICE_NETWORKS" in row.answer


def test_an_alarm_that_is_over_before_it_was_told_disturbs_nobody(team, hook):
    channel(team, "webhook", hook.url)
    conflict()
    hook.status = 503
    run(1)
    resolve_alarm("rover-1", "conflict", "s1", after(5))
    run(12)
    assert statuses() == ["needless"]
    assert len(hook.got) == 1


def test_what_a_robot_says_again_while_it_holds_is_told_once_and_opens_nothing_again(team, hook):
    channel(team, "webhook", hook.url)
    for hour in range(0, 73, 6):
        raise_alarm("rover-1", of_robots_word("motor_hot"), "", "high", {"temp_c": 90 + hour}, after(3600 * hour))
        if hour == 12:
            acts.acknowledge(team.caller, Alarm.objects.get().pk, by=team.by, now=after(3600 * hour + 1))
        run(3600 * hour + 60)
    alarm = Alarm.objects.get()
    assert (alarm.count, alarm.resolved_at, alarm.acknowledged_at) == (13, None, after(12 * 3600 + 1))
    assert Notice.objects.count() == len(hook.got) == 1


def told(hook: Hook) -> list[tuple[str, int]]:
    return [(json.loads(body)["type"], json.loads(body)["alarm"]["id"]) for _headers, body in hook.got]


def test_a_channel_that_wants_so_is_told_once_that_what_it_told_is_over(team, hook, post_office):
    made = channel(team, "webhook", hook.url, tells_end="on")
    channel(team, "mail", "ana@example.org", tells_end="on")
    channel(team, "mail", "leo@example.org")
    alarm, other = conflict(), conflict(key="s2")
    run(1)
    resolve_alarm("rover-1", "conflict", "s1", after(720))
    run(721)
    run(726)
    assert told(hook) == [("alarm", alarm.pk), ("alarm", other.pk), ("over", alarm.pk)]
    headers, body = hook.got[-1]
    assert headers["Croody-Signature"] == signature(made.secret, int(after(721).timestamp()), body)
    about = json.loads(body)["alarm"]
    assert (about["opened_at"], about["resolved_at"]) == (NOW.isoformat(), after(720).isoformat())
    assert len({headers["Croody-Notice"] for headers, _body in hook.got}) == 3
    ends = [(to, one) for to, one in zip(post_office.to, post_office.messages, strict=True) if one["Subject"].startswith("Ended")]
    assert [to for to, _one in ends] == [["ana@example.org"]]
    assert ends[0][1]["Subject"].startswith("Ended · rover-1: ")
    assert "It lasted 12\xa0min." in ends[0][1].get_content()
    assert f"/console/alerts/{alarm.pk}/" in ends[0][1].get_content()


def test_the_end_of_what_a_channel_was_not_told_is_no_news(team, hook):
    channel(team, "webhook", hook.url, severity="high", tells_end="on")
    conflict(key="low", severity="low")
    hook.status = 503
    failed = conflict()
    run(1)
    hook.status = 204
    resolve_alarm("rover-1", "conflict", "low", after(5))
    resolve_alarm("rover-1", "conflict", "s1", after(5))
    run(12)
    run(17)
    assert told(hook) == [("alarm", failed.pk)], "the one try that was refused"


def test_in_quiet_hours_an_end_waits_for_the_morning_and_one_that_was_undone_is_needless(team, hook):
    channel(team, "webhook", hook.url, quiet_from="22:00", quiet_to="06:00", tells_end="on")
    evening = datetime(2026, 11, 24, 21, 50, tzinfo=UTC)

    def at(minutes: float) -> None:
        deliver.tell(evening + timedelta(minutes=minutes))
        deliver.send(evening + timedelta(minutes=minutes))

    alarms = [raise_alarm("rover-1", "conflict", key, "high", {}, evening) for key in ("a", "b")]
    worst = raise_alarm("rover-1", "conflict", "c", "critical", {}, evening)
    at(1)
    for key in ("a", "b", "c"):
        resolve_alarm("rover-1", "conflict", key, evening + timedelta(hours=1))
    at(61)
    assert told(hook)[3:] == [("over", worst.pk)]
    deliver.tell(evening + timedelta(hours=9))
    Alarm.objects.filter(pk=alarms[1].pk).update(resolved_at=None)
    deliver.send(evening + timedelta(hours=9))
    assert told(hook)[4:] == [("over", alarms[0].pk)]
    assert Notice.objects.get(alarm=alarms[1], over=True).status == "needless"


def test_ends_take_no_alarms_place_in_the_hour(team, hook):
    channel(team, "webhook", hook.url, tells_end="on")
    for number in range(20):
        conflict(key=f"s{number}")
    run(1)
    for number in range(20):
        resolve_alarm("rover-1", "conflict", f"s{number}", after(5))
    run(6)
    for number in range(10):
        conflict(key=f"t{number}", at=10)
    run(11)
    assert len(hook.got) == 50
    assert "held" not in statuses()


def test_only_ones_own_alarms_and_only_those_grave_enough_are_told(team, hook):
    channel(team, "webhook", hook.url, severity="high")
    conflict("carlos-1")
    conflict(key="low", severity="medium")
    conflict(key="high", severity="high")
    conflict(key="worst", severity="critical")
    run(1)
    assert len(hook.got) == 2


def test_what_is_snoozed_false_or_of_a_robot_in_maintenance_is_not_told(team, hook):
    channel(team, "webhook", hook.url)
    alarm = conflict()
    acts.snooze(team.caller, alarm.pk, after(600), by=team.by, now=after(1))
    run(2)
    assert hook.got == []
    acts.mark_false(team.caller, alarm.pk, acts.Scope.ROBOT, after(900), by=team.by, now=after(3))
    conflict(key="s2", at=4)
    run(5)
    assert hook.got == []
    Robot.objects.filter(pk="rover-1").update(maintenance_until=after(3000))
    raise_alarm("rover-1", "offline", "", "high", {}, after(6))
    run(7)
    assert hook.got == []
    run(3001)
    assert len(hook.got) == 1, "what outlasts its maintenance is told"


def test_what_waited_for_days_is_told_when_that_ends_and_what_was_told_before_is_not_told_again(team, hook):
    day = 86_400
    channel(team, "webhook", hook.url)
    told = conflict(key="told")
    run(1)
    acts.snooze(team.caller, told.pk, after(5 * day), by=team.by, now=after(2))
    acts.mark_false(team.caller, conflict(key="false", at=3).pk, acts.Scope.CAUSE, after(4 * day), by=team.by, now=after(4))
    held = conflict(key="false", at=5)
    Robot.objects.filter(pk="rover-1").update(maintenance_until=after(9 * day))
    raise_alarm("rover-1", "offline", "", "high", {}, after(5))
    for hours in range(72):
        run(6 + 3600 * hours)
    assert len(hook.got) == 1
    Robot.objects.filter(pk="rover-1").update(maintenance_until=None)
    run(3 * day)
    assert len(hook.got) == 2, "maintenance of three days ended before its time"
    run(4 * day)
    assert len(hook.got) == 2
    suppressions.release(after(4 * day + 1), 10)
    for hours in range(60):
        run(4 * day + 2 + 3600 * hours)
    assert [json.loads(body)["alarm"]["id"] for _, body in hook.got][2:] == [held.pk]


def test_an_escalation_waits_and_is_needless_when_somebody_acknowledged(team, hook):
    channel(team, "webhook", hook.url, after_min="10")
    first, second = conflict(), conflict(key="s2")
    run(599)
    assert hook.got == []
    acts.acknowledge(team.caller, first.pk, by=team.by, now=after(599))
    run(601)
    assert [json.loads(body)["alarm"]["id"] for _headers, body in hook.got] == [second.pk]


def test_quiet_hours_let_only_what_is_critical_through_and_the_rest_waits(team, hook):
    made = channel(team, "webhook", hook.url, quiet_from="22:00", quiet_to="06:00", time_zone="America/Bogota")
    night = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
    for hours, expected in ((0, True), (6.9, True), (7, False), (12, False), (23, True)):
        assert deliver.is_quiet(made, night + timedelta(hours=hours)) is expected, hours
    raise_alarm("rover-1", "conflict", "a", "high", {}, night)
    worst = raise_alarm("rover-1", "conflict", "b", "critical", {}, night)
    deliver.tell(night)
    deliver.send(night)
    assert [json.loads(body)["alarm"]["id"] for _headers, body in hook.got] == [worst.pk]
    morning = night + timedelta(hours=7)
    deliver.tell(morning)
    deliver.send(morning)
    assert len(hook.got) == 2


def test_a_new_channel_is_not_told_the_past_and_a_storm_is_bounded(team, hook):
    conflict(key="old", at=-3600)
    channel(team, "webhook", hook.url)
    for number in range(45):
        conflict(key=f"s{number}", at=1)
    run(2)
    for at in range(3, 8):
        run(at)
    assert len(hook.got) == deliver.AN_HOUR
    assert statuses().count("held") == 45 - deliver.AN_HOUR
    conflict(key="next hour", at=3700)
    run(3701)
    assert len(hook.got) == deliver.AN_HOUR + 1


def test_a_test_goes_through_the_same_way_and_one_at_a_time(team, hook):
    made = channel(team, "webhook", hook.url, enabled="off")
    services.test_channel(team.caller, made.pk, by=team.by, now=NOW)
    with pytest.raises(BadRule):
        services.test_channel(team.caller, made.pk, by=team.by, now=NOW)
    deliver.send(after(1))
    assert json.loads(hook.got[0][1])["type"] == "test"
    services.test_channel(team.caller, made.pk, by=team.by, now=after(2))


def test_a_messenger_of_a_service_that_we_know_and_nothing_else():
    assert messenger.check("tgram://123456789:AABBCCDDEEFFaabbccddeeff-1234567890/12315544/").startswith("tgram")
    reaching = ("json://127.0.0.1/", "file:///etc/passwd", "syslog://", "mailto://a:b@example.org", "ntfy://10.0.0.1/x")
    for url in (*reaching, "slack://", "tgram://x", ""):
        with pytest.raises(BadRule):
            messenger.check(url)


def test_a_messenger_carries_the_message_and_says_why_not(hook):
    url = hook.url.replace("http://", "json://")
    assert messenger.send(url, "Título", "texto", services=["json"]) == "ok"
    assert "Título" in hook.got[0][1].decode("utf-8") or "T\\u00edtulo" in hook.got[0][1].decode()
    hook.status = 500
    with pytest.raises(Failed) as failed:
        messenger.send(url, "t", "b", services=["json"])
    assert "500" in str(failed.value)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("target", {"kind": "mail", "target": "nobody"}),
        ("target", {"kind": "mail", "target": ""}),
        ("target", {"kind": "mail", "target": ",".join(f"a{n}@example.org" for n in range(11))}),
        ("target", {"kind": "webhook", "target": "gopher://x"}),
        ("target", {"kind": "apprise", "target": "json://x"}),
        ("kind", {"kind": "pigeon", "target": "x"}),
        ("quiet_from", {"quiet_from": "22:00"}),
        ("quiet_from", {"quiet_from": "25:00", "quiet_to": "06:00"}),
        ("time_zone", {"time_zone": "../etc/passwd"}),
        ("time_zone", {"time_zone": "Mars/Base"}),
        ("after_min", {"after_min": "5000"}),
        ("severity", {"severity": "urgent"}),
    ],
)
def test_a_channel_that_says_nonsense_is_refused_at_its_field(team, field, given):
    with pytest.raises(BadRule) as refused:
        services.save_channel(team.caller, {"name": "C", "kind": "mail", "target": "a@example.org", **given}, by=team.by, now=NOW)
    assert refused.value.field == field
    assert not Channel.objects.exists()


def test_a_notice_that_fails_as_nobody_foresaw_costs_itself_a_try_and_no_other_its_turn(team, hook, monkeypatch):
    first, _second = channel(team, "webhook", hook.url), channel(team, "webhook", f"{hook.url}?second")
    conflict()
    through = deliver._through

    def breaks(notice: Notice, *given: Any) -> str:
        if notice.channel_id == first.pk:
            raise ZeroDivisionError("nobody foresaw it")
        return through(notice, *given)

    monkeypatch.setattr(deliver, "_through", breaks)
    run(1)
    found = {row.channel_id: (row.status, row.attempts, row.answer) for row in Notice.objects.all()}
    assert found.pop(first.pk) == ("pending", 1, "ZeroDivisionError")
    assert [status for status, _, _ in found.values()] == ["sent"]
    assert Notice.objects.get(channel=first).next_at > after(1)

"""Telling people: which alarms go through which channel, when, and what became of it. Each run is bounded."""

import json
import logging
import time
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from croody.accounts import mailer
from croody.accounts.caller import of_user
from croody.alarms import inbox, kinds
from croody.alarms.models import Alarm
from croody.alarms.storms import kind_of
from croody.fleet import access
from croody.fleet.models import Robot
from croody.notices import browsers, messenger, push, services, webhook
from croody.notices.models import Channel, Notice
from croody.notices.webhook import Failed
from croody.web import formats

log = logging.getLogger(__name__)
Status = Notice.Status
#: Alarms that a channel is given in one run, notices that are sent in one run, and for how long a run goes on sending, in seconds.
TOLD: Final = 50
SENT: Final = 20
RUN_S: Final = 30.0
#: Channels that one run looks at.
CHANNELS: Final = 500
#: Which channel had a turn last: everybody may have one of their own, and none is forgotten.
_turn: Final = {"after": 0}
#: What one channel carries in an hour; beyond, it is only counted in its log.
AN_HOUR: Final = 30
#: Waits before it is tried again, in seconds; after the last one it has failed.
BACKOFF_S: Final = (10, 30, 120, 600, 3600)
#: Alarms that are older than this are nobody's news, or that have waited for nothing for so long.
NEWS: Final = timedelta(days=1)


def tell(now: datetime) -> None:
    """Queue what each channel has not been told yet; those that had no turn come first in the next run."""
    begun = time.monotonic()
    inbox.note_waiting(now)
    some = list(Channel.objects.filter(enabled=True, pk__gt=_turn["after"]).select_related("person").order_by("pk")[:CHANNELS])
    # Behind the last one it is the first one's turn.
    _turn["after"] = some[-1].pk if len(some) == CHANNELS else 0
    for channel in some:
        if time.monotonic() - begun > RUN_S:
            _turn["after"] = channel.pk - 1
            return
        if not may_tell(channel):
            continue
        due, ended = _due(channel, now), _ended(channel, now)
        if channel.quiet_from and is_quiet(channel, now):
            due, ended = due.filter(severity="critical"), ended.filter(severity="critical")
        _queue(channel, due, now)
        if channel.tells_end:
            _queue(channel, ended, now, over=True)


def may_tell(channel: Channel) -> bool:
    """Say whether who would be told may see what it tells: a person's own channel ends with their place in the organisation."""
    if channel.person is None:
        return True
    return access.organisations(of_user(channel.person), access.Action.INSPECT).filter(pk=channel.organisation_id).exists()


def is_quiet(channel: Channel, now: datetime) -> bool:
    """Say whether it is a time at which only what is critical is told. From 22:00 to 06:00 goes over midnight."""
    clock = now.astimezone(ZoneInfo(channel.time_zone)).strftime("%H:%M")
    begin, end = channel.quiet_from, channel.quiet_to
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def send(now: datetime) -> None:
    """Send what is queued, those that waited longest first."""
    begun = time.monotonic()
    due = Notice.objects.filter(status=Status.PENDING, next_at__lte=now).select_related(
        "channel", "channel__organisation", "channel__person"
    )
    for notice in due.order_by("next_at", "pk")[:SENT]:
        if time.monotonic() - begun > RUN_S:
            return
        _send(notice, now)


def _due(channel: Channel, now: datetime) -> QuerySet[Alarm]:
    """Open alarms of its organisation that it has not been told, and that its rules let through."""
    robots = Robot.objects.filter(organisation_id=channel.organisation_id, deleted_at=None)
    found = Alarm.objects.filter(Q(robot_id__in=robots.values("pk")) | Q(organisation_id=channel.organisation_id), resolved_at=None)
    found = found.filter(part_of=None, suppressed_by=None, severity__in=[channel.severity, *kinds.worse_than(channel.severity)])
    found = found.exclude(snoozed_until__gt=now, snoozed_until__isnull=False).exclude(robot_id__in=inbox.maintained(now).values("pk"))
    # A new channel is not told the past. What waited for the end of maintenance or of an exception is news from then on.
    found = found.filter(opened_at__gte=channel.created_at, opened_at__lte=now - timedelta(minutes=channel.after_min))
    found = found.filter(Q(opened_at__gte=now - NEWS) | Q(waited_at__gte=now - NEWS))
    if channel.after_min:
        found = found.filter(acknowledged_at=None)
    told = Notice.objects.filter(channel=channel, over=False, alarm=OuterRef("pk"))
    return found.exclude(Exists(told)).order_by("opened_at", "pk")


def _ended(channel: Channel, now: datetime) -> QuerySet[Alarm]:
    """Alarms that it was told and that are over since, which it has not been told."""
    mine = Notice.objects.filter(channel=channel, alarm__isnull=False)
    told = mine.filter(~Q(reached="") | Q(status=Status.SENT), over=False)
    found = Alarm.objects.filter(resolved_at__gt=now - NEWS, pk__in=told.values("alarm_id"))
    return found.exclude(pk__in=mine.filter(over=True).values("alarm_id")).order_by("resolved_at", "pk")


def _queue(channel: Channel, due: QuerySet[Alarm], now: datetime, *, over: bool = False) -> None:
    """Within what a channel carries in an hour; ends take no alarm's place."""
    alarms = list(due.values_list("pk", flat=True)[:TOLD])
    if not alarms:
        return
    lately = Notice.objects.filter(channel=channel, over=over, created_at__gt=now - timedelta(hours=1), alarm__isnull=False)
    lately = lately.exclude(status=Status.HELD)
    left = max(0, AN_HOUR - lately.count())
    rows = [
        Notice(
            channel=channel,
            alarm_id=alarm,
            over=over,
            created_at=now,
            status=Status.PENDING if place < left else Status.HELD,
            next_at=now if place < left else None,
        )
        for place, alarm in enumerate(alarms)
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def _send(notice: Notice, now: datetime) -> None:
    alarm = Alarm.objects.filter(pk=notice.alarm_id).first() if notice.alarm_id is not None else None
    if notice.alarm_id is not None and (alarm is None or (alarm.resolved_at is not None) != notice.over):
        Notice.objects.filter(pk=notice.pk).update(status=Status.NEEDLESS, next_at=None)
        return
    try:
        with override(notice.channel.language):
            answer = _through(notice, alarm, now)
    except Failed as error:
        _again(notice, error, now)
        return
    except Exception as error:  # Whatever it is, it costs this notice a try, and no other its turn.
        log.exception("notice %s of channel %s could not be sent", notice.pk, notice.channel_id)
        _again(notice, Failed(type(error).__name__), now)
        return
    Notice.objects.filter(pk=notice.pk).update(
        status=Status.SENT, sent_at=now, next_at=None, attempts=F("attempts") + 1, answer=answer[:300]
    )


def _again(notice: Notice, error: Failed, now: datetime) -> None:
    tried = notice.attempts
    over = error.final or tried >= len(BACKOFF_S)
    wait = 0.0 if over else max(float(BACKOFF_S[tried]), error.wait_s)
    Notice.objects.filter(pk=notice.pk).update(
        status=Status.FAILED if over else Status.PENDING,
        attempts=tried + 1,
        next_at=None if over else now + timedelta(seconds=wait),
        answer=str(error)[:300],
    )


def _through(notice: Notice, alarm: Alarm | None, now: datetime) -> str:
    channel = notice.channel
    title, body = words(alarm, channel.language, over=notice.over)
    match channel.kind:
        case Channel.Kind.MAIL:
            return _mail(notice, _addresses(channel), title, body)
        case Channel.Kind.APPRISE:
            return messenger.send(channel.target, title, body)
        case Channel.Kind.PUSH:
            return _to_browsers(notice, alarm, title, body, now)
    payload = json.dumps(_payload(notice, alarm, title, body), ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Croody",
        "Croody-Notice": str(notice.pk),
        "Croody-Signature": webhook.signature(channel.secret, int(now.timestamp()), payload),
    }
    return webhook.post(channel.target, payload, headers, allowed=settings.ENV.notice_networks)


def words(alarm: Alarm | None, language: str, *, over: bool = False) -> tuple[str, str]:
    """Title and text of a notice, in the active language, which is `language`. `over`: it tells that the alarm ended."""
    if alarm is None:
        return _("Prueba de Croody"), _("Este canal funciona: aquí llegarán las alertas.")
    kind = kind_of(alarm)
    who = f"{alarm.robot_id}: " if alarm.robot_id else ""
    # What a robot says may hold a line break, which a title may not.
    head = _("Terminó") if over else kinds.SEVERITIES[alarm.severity]
    title = " ".join(f"{head} · {who}{kind.title}".split())[:200]
    if over and alarm.resolved_at is not None:
        lasted = formats.age((alarm.resolved_at - alarm.opened_at).total_seconds())
        return title, f"{_('Duró %(age)s.') % {'age': lasted}}\n\n{_address(alarm)}"
    sentence = kinds.find(alarm.kind).sentence({**alarm.detail, "robots": alarm.count}, language)
    return title, f"{sentence}\n{kind.remedy}\n\n{_address(alarm)}"


def _addresses(channel: Channel) -> list[str]:
    """To whom it goes: a person's own channel to the address that they have now."""
    if channel.person_id is None:
        return channel.target.split("\n")
    found = services.mail_of(channel.person_id) if may_tell(channel) else ""
    if not found:
        raise Failed("no confirmed address, or no member any more", final=True)
    return [found]


def _to_browsers(notice: Notice, alarm: Alarm | None, title: str, body: str, now: datetime) -> str:
    channel = notice.channel
    if channel.person_id is None or not may_tell(channel):
        raise Failed("no member any more", final=True)
    # A later word about the same alarm takes the earlier one's place on the screen.
    topic = f"alarm-{alarm.pk}" if alarm is not None else "test"
    where = _path(alarm) if alarm is not None else "/console/rules/mine/browsers/"
    fields = {"title": title, "body": body.rpartition("\n\n")[0] or body, "tag": topic, "address": where, "language": channel.language}
    urgent = alarm is not None and alarm.severity in {"critical", "high"}
    return browsers.tell(channel.person_id, push.within(fields, "body"), topic, urgent=urgent, now=now)


def _mail(notice: Notice, to: list[str], title: str, body: str) -> str:
    """Each address has a mail of its own: of one to several, a mail server may refuse some and say that it went."""
    reached = notice.reached.split("\n") if notice.reached else []
    failed: list[tuple[str, OSError]] = []
    headers = mailer.always("notice", notice.pk, notice.created_at)
    try:
        with get_connection() as connection:
            for address in to:
                if address in reached:
                    continue
                try:
                    if not EmailMessage(title, body, None, [address], connection=connection, headers=headers).send():
                        raise ConnectionError("no mail server: name one in CROODY_SMTP_URL")
                except OSError as error:
                    failed.append((address, error))
                    continue
                reached.append(address)
                Notice.objects.filter(pk=notice.pk).update(reached="\n".join(reached))
    except OSError as error:
        # smtplib's own errors are OSErrors, too.
        raise Failed(f"{type(error).__name__}: {error}"[:200], final=_is_final(error)) from error
    if failed:
        _address, first = failed[0]
        whom = "" if len(to) == 1 else f"{', '.join(address for address, _error in failed)}: "
        raise Failed(f"{whom}{type(first).__name__}: {first}"[:200], final=all(_is_final(error) for _address, error in failed))
    return "ok"


def _is_final(error: OSError) -> bool:
    """Whether the mail server refused for good."""
    match error:
        case SMTPRecipientsRefused(recipients=recipients):
            codes = [code for code, _why in recipients.values()]
        case SMTPResponseException(smtp_code=code):
            codes = [code]
        case _:
            codes = []
    return bool(codes) and all(500 <= code < 600 for code in codes)


def _payload(notice: Notice, alarm: Alarm | None, title: str, body: str) -> dict[str, Any]:
    about = "test" if alarm is None else "over" if notice.over else "alarm"
    told: dict[str, Any] = {"notice": notice.pk, "type": about, "title": title, "text": body}
    if alarm is None:
        return told
    row = {"id": alarm.pk, "robot_id": alarm.robot_id, "kind": kind_of(alarm).code, "severity": alarm.severity, "count": alarm.count}
    ended = {"resolved_at": alarm.resolved_at.isoformat()} if notice.over and alarm.resolved_at is not None else {}
    return told | {"alarm": {**row, "opened_at": alarm.opened_at.isoformat(), **ended, "address": _address(alarm)}}


def _address(alarm: Alarm) -> str:
    # Not by its name: the worker serves no pages, and would load all of them.
    return f"{settings.ENV.public_url.rstrip('/')}{_path(alarm)}"


def _path(alarm: Alarm) -> str:
    return f"/console/alerts/{alarm.pk}/"

"""Many robots more, for pages of big fleets: a quarter of an hour of readings each, and here and there something that needs a person."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from croody.accounts.demo import ORGANISATION
from croody.alarms.services import raise_alarm
from croody.fleet import services
from croody.fleet.models import Robot, Site
from croody.liveness.kinds import OFFLINE
from croody.operations.day import cast
from croody.operations.day.life import INTERVAL_S, Life
from croody.telemetry.ingest.services import ingest_relay
from croody.telemetry.jobs.rollups import catch_up
from croody_contract.messages import Born, Position, Presence, Reading, encode
from croody_contract.relay import BatchItem, PresenceItem, Relay

MOST: Final = 5000
_READINGS: Final = 30
#: Robots in one relay.
_TOGETHER: Final = 100
#: One in so many fell silent.
_SILENT_EVERY: Final = 140


def make(count: int, now: datetime, *, seed: int = 7) -> None:
    """Have so many; those that are there already speak again."""
    site = Site.objects.select_related("organisation").get(organisation__slug=ORGANISATION[1], slug=cast.SITES[0].slug)
    ids = [f"flota-{number:04d}" for number in range(1, count + 1)]
    known = set(Robot.objects.filter(pk__in=ids).values_list("pk", flat=True))
    for robot_id in ids:
        if robot_id not in known:
            services.add_robot(robot_id, organisation=site.organisation, site=site, kind="rover")
    for start in range(0, count, _TOGETHER):
        _speak(ids[start : start + _TOGETHER], start, now, seed)
    while not catch_up(now, written=2000):
        pass


def _speak(ids: list[str], number: int, now: datetime, seed: int) -> None:
    silent_since = now - timedelta(minutes=6)
    batches, presence, silent = [], [], []
    for offset, robot_id in enumerate(ids, start=number):
        is_silent = offset % _SILENT_EVERY == _SILENT_EVERY - 1
        until = silent_since if is_silent else now - timedelta(seconds=offset % INTERVAL_S)
        stream = f"flota{seed}-{int(now.timestamp())}"
        batches.append(BatchItem(robot_id, stream, 1, _records(robot_id, until, seed)))
        if is_silent:
            silent.append(robot_id)
        else:
            presence.append(PresenceItem(robot_id, Presence("online", stream, interval_s=INTERVAL_S)))
    quiet = [item for item in batches if item.robot_id in silent]
    if quiet:
        words = [PresenceItem(item.robot_id, Presence("online", item.stream, interval_s=INTERVAL_S)) for item in quiet]
        ingest_relay(Relay(batches=quiet, presence=words), now=silent_since)
    ingest_relay(Relay(batches=[item for item in batches if item.robot_id not in silent], presence=presence), now=now)
    for robot_id in silent:
        raise_alarm(robot_id, OFFLINE, "", OFFLINE.severity, {"heard_at": silent_since.isoformat()}, now)


def _records(robot_id: str, until: datetime, seed: int) -> list[msgspec.Raw]:
    life = Life(cast.Member(robot_id, "rover", cast.SITES[0].slug, "plan"), cast.SITES[0], seed)
    begin = until - timedelta(seconds=INTERVAL_S * _READINGS)
    found = [msgspec.Raw(encode(Born("croody-edge 1.0", begin, capabilities=["resend"])))]
    for number in range(1, _READINGS + 1):
        at = begin + timedelta(seconds=INTERVAL_S * number)
        moment = life.step(at.hour + at.minute / 60)
        place = Position(moment.lat, moment.lng) if moment.lat is not None and moment.lng is not None else None
        found.append(msgspec.Raw(encode(Reading(moment.data, at, place, None, moment.status))))
    return found

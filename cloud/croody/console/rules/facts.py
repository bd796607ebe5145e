"""Rules, channels and notices of a person's organisations, as plain values. Words nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from django.db.models import Count

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.fleet.models import Robot, Site
from croody.notices import services
from croody.notices.models import Channel, Notice, Rule, RuleState
from croody.telemetry.read.newest import newest_of

#: Notices that the log shows.
LOG: Final = 60
_MOST: Final = 500
#: Robots whose readings say which metrics there are.
_LOOKED_AT: Final = 100


@dataclass(frozen=True, slots=True)
class Overview:
    """`firing`: rule -> at how many robots it tells now. `log`: newest first. `mine`: organisations that the caller may configure.

    `deleted`: rules that they may bring back.
    """

    rules: Sequence[Rule]
    firing: Mapping[int, int]
    channels: Sequence[Channel]
    log: Sequence[Notice]
    mine: frozenset[int]
    several: bool
    deleted: Sequence[Rule]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a form offers."""

    teams: Sequence[Organisation]
    sites: Sequence[Site]
    robots: Sequence[str]
    metrics: Sequence[str]


def overview(caller: Caller, now: datetime) -> Overview:
    """All of it."""
    rules, channels = services.rules_of(caller), services.channels_of(caller)
    firing = RuleState.objects.filter(rule__in=rules, firing=True).values_list("rule_id").annotate(Count("pk"))
    log = Notice.objects.filter(channel__in=[channel.pk for channel in channels]).select_related("channel", "alarm").order_by("-pk")[:LOG]
    mine = frozenset(team.pk for team in services.may_configure(caller))
    teams = {rule.organisation_id for rule in rules} | {channel.organisation_id for channel in channels} | mine
    deleted = services.deleted_rules_of(caller, now) if mine else []
    return Overview(rules, dict(firing), channels, list(log), mine, len(teams) > 1, deleted)


def choices(caller: Caller, team: int | None = None) -> Choices:
    """What there is to choose from, in one organisation when it is settled."""
    teams = [one for one in services.may_configure(caller) if team in (None, one.pk)]
    numbers = [one.pk for one in teams]
    sites = list(Site.objects.filter(organisation__in=numbers).order_by("name")[:_MOST])
    robots = Robot.objects.filter(organisation__in=numbers, deleted_at=None).order_by("pk")
    names = list(robots.values_list("pk", flat=True)[:_MOST])
    return Choices(teams, sites, names, _metrics(names[:_LOOKED_AT]))


def _metrics(robot_ids: Sequence[str]) -> list[str]:
    """What these robots measure by numbers, as their last readings have it."""
    readings = (msgspec.json.decode(one.row)["data"] for one in newest_of(robot_ids).values())
    found = {name for data in readings for name, value in data.items() if isinstance(value, int | float)}
    return sorted(found)[:_MOST]

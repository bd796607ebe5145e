"""The rules of the day's organisation, saved as a person would; none where it has some already."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User

from croody.accounts.caller import of_user
from croody.accounts.demo import ORGANISATION
from croody.accounts.models import Organisation
from croody.notices import services
from croody.notices.jobs import judge_team
from croody.notices.models import Rule
from croody.operations.day import cast, people

RULES: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "name": "Motor demasiado caliente",
        "kind": "threshold",
        "metric": "motor_temp_c",
        "limit": "80",
        "hysteresis": "5",
        "for_s": "120",
        "severity": "high",
    },
    {
        "name": "Batería por agotarse",
        "kind": "threshold",
        "metric": "battery_pct",
        "side": "below",
        "limit": "12",
        "hysteresis": "8",
        "for_s": "300",
        "severity": "medium",
    },
)


def make(users: Mapping[str, User], now: datetime) -> None:
    """In the name of who looks after the robots."""
    team = Organisation.objects.get(slug=ORGANISATION[1])
    if Rule.objects.filter(organisation=team).exists():
        return
    who = users[cast.BUYS_ROBOTS]
    for given in RULES:
        services.save_rule(of_user(who), {**given, "team": str(team.pk)}, by=people.actor(who), now=now)


def judge(now: datetime) -> None:
    """Hold the organisation's robots to them."""
    judge_team(Organisation.objects.get(slug=ORGANISATION[1]).pk, now)

"""Which limits the rules of its organisation set to a robot's metrics: one above and one below at most, the narrowest. Words nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from croody.fleet.models import Robot
from croody.notices.grammar import Comparison, Constant
from croody.notices.models import Rule
from croody.notices.spec import BadRule, read

#: Rules that are looked at.
_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Limit:
    """In the robot's own unit. `above`: what is greater is too much."""

    value: float
    above: bool

    def broken_by(self, value: float) -> bool:
        """Whether a value is beyond it."""
        return value > self.value if self.above else value < self.value


Limits = Mapping[str, tuple[Limit, ...]]


def limits_of(robot: Robot) -> Limits:
    """Metric -> its limits, from the rules that are about this robot."""
    about = Q(robot_id="") & (Q(site=None) | Q(site=robot.site_id)) | Q(robot_id=robot.pk)
    rules = Rule.objects.filter(about, organisation=robot.organisation_id, enabled=True, kind=Rule.Kind.THRESHOLD).order_by("pk")
    return narrowest(one for rule in rules[:_MOST] for one in _limit(rule))


def narrowest(found: Iterable[tuple[str, Limit]]) -> Limits:
    """Of each metric the least limit above and the greatest below."""
    kept: dict[tuple[str, bool], Limit] = {}
    for metric, limit in found:
        before = kept.get((metric, limit.above))
        # The narrower one is broken by the other's value.
        if before is None or limit.broken_by(before.value):
            kept[metric, limit.above] = limit
    out: dict[str, tuple[Limit, ...]] = {}
    for (metric, _), limit in sorted(kept.items(), key=lambda one: (one[0][0], not one[0][1])):
        out[metric] = (*out.get(metric, ()), limit)
    return out


def _limit(rule: Rule) -> list[tuple[str, Limit]]:
    try:
        asked = read(rule.kind, rule.params)
    except BadRule:
        return []
    raises = asked.raises
    if isinstance(raises, Comparison) and isinstance(raises.right, Constant):
        return [(asked.metrics[0], Limit(raises.right.number, raises.operator == ">"))]
    return []

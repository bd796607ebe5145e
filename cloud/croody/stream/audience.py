"""Who listens, as a value, and the robots they may know of. The rule itself is `fleet.access`."""

from dataclasses import dataclass
from typing import Literal

from django.contrib.auth.models import AnonymousUser, User

from croody.fleet.access import visible_to


@dataclass(frozen=True, slots=True)
class Audience:
    """Listeners that see the same robots. `key`: the user's or the robot's id."""

    kind: Literal["public", "user", "robot", "all"]
    key: str = ""


PUBLIC = Audience("public")


def robots_of(audience: Audience) -> frozenset[str]:
    """Ids of the robots this audience may know of now."""
    match audience.kind:
        case "robot":
            return frozenset({audience.key})
        case "user":
            user: User | AnonymousUser = User.objects.filter(pk=audience.key).first() or AnonymousUser()
        case _:
            user = AnonymousUser()
    robots = visible_to(user).values_list("robot_id", flat=True)
    return frozenset(robots)

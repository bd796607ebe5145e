"""Who may do what to which robot: one table, asked by every page, API and stream. Knows callers and robots, never how they came.

What one may not see does not exist for one: that is 404. What one sees and may not do is 403.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from croody.accounts.caller import IDS, TELEMETRY, Caller, Door, Role, Scope, again, caller_of
from croody.accounts.models import Organisation
from croody.fleet.models import Robot
from croody.web.refusals import Denied


class Action(StrEnum):
    """What somebody may do to a robot."""

    SEE = "see"
    """Know that it is there, and its readings."""
    ASSESS = "assess"
    """Ask the detector, and read what it makes of the robot's windows."""
    INSPECT = "inspect"
    """Its inner affairs: dead letters and alarms."""
    WRITE = "write"
    """Send readings in its name."""
    ACT = "act"
    """Change something: play a dead letter again, close an alarm, set it aside for maintenance."""
    CONFIGURE = "configure"
    """Change what it is to its team: label, tags, site, secret."""
    ADMINISTER = "administer"
    """Decide who has it: share it with the public, revoke it, bring it back."""


class Reach(Enum):
    """To which robots an action reaches."""

    SHARED = "those that are shared with the public"
    OWN = "the robot itself"
    TEAM = "those of one's organisations, where one's role allows it"
    ALL = "every robot"


_LOOKS: Final = frozenset({Action.SEE, Action.ASSESS, Action.INSPECT})
_OPERATES: Final = _LOOKS | {Action.WRITE, Action.ACT}
#: Role -> what it may do to its organisation's robots.
ROLES: Final[Mapping[Role, frozenset[Action]]] = {
    Role.VIEWER: _LOOKS,
    Role.OPERATOR: _OPERATES,
    Role.MAINTAINER: _OPERATES | {Action.CONFIGURE},
    Role.OWNER: frozenset(Action),
}
#: An action, said of who may do it.
IN_WORDS: Final[Mapping[Action, str | Promise]] = {
    Action.SEE: gettext_lazy("ve sus robots y las lecturas de ellos"),
    Action.ASSESS: gettext_lazy("lee veredictos"),
    Action.INSPECT: gettext_lazy("ve alertas y cartas muertas"),
    Action.WRITE: gettext_lazy("envía lecturas en nombre de un robot"),
    Action.ACT: gettext_lazy("cierra alertas y vuelve a juzgar cartas muertas"),
    Action.CONFIGURE: gettext_lazy("les pone nombre, sitio y secreto nuevo"),
    Action.ADMINISTER: gettext_lazy("los comparte, los revoca y los trae de vuelta"),
}
_MEMBER: Final = {
    Action.SEE: (Reach.SHARED, Reach.TEAM),
    # A shared robot's readings are public; what is wrong with it is not.
    Action.ASSESS: (Reach.TEAM,),
    Action.INSPECT: (Reach.TEAM,),
    Action.WRITE: (Reach.TEAM,),
    Action.ACT: (Reach.TEAM,),
    Action.CONFIGURE: (Reach.TEAM,),
    Action.ADMINISTER: (Reach.TEAM,),
}
_EVERY: Final = dict.fromkeys(Action, (Reach.ALL,))
#: Who asks -> what they may do, and to which robots. What is not written here nobody may, and is told so with 401.
CALLERS: Final[Mapping[str, Mapping[Action, tuple[Reach, ...]]]] = {
    "anonymous": {Action.SEE: (Reach.SHARED,)},
    "robot": {Action.SEE: (Reach.SHARED, Reach.OWN), Action.WRITE: (Reach.OWN,)},
    "person": _MEMBER,
    "token": _MEMBER,
    "superuser": _EVERY,
    "demo": _EVERY,
    "service:ingest": _MEMBER,
    "service:ids": {Action.ASSESS: (Reach.TEAM,)},
    # It asks for nothing of a robot: what it brings is relayed. A question is answered, and finds nothing.
    "service:bridge": {Action.SEE: ()},
}
#: What a token must have been made for.
SCOPES: Final[Mapping[Action, Scope]] = {
    Action.SEE: Scope.READ,
    Action.ASSESS: Scope.READ,
    Action.INSPECT: Scope.READ,
    Action.WRITE: Scope.INGEST,
    Action.ACT: Scope.ACT,
    Action.CONFIGURE: Scope.MANAGE,
    Action.ADMINISTER: Scope.MANAGE,
}
#: What to bring, said to a kind of caller that may do such a thing to no robot.
_NO_KEY: Final[Mapping[Action, str]] = {
    Action.SEE: "X-API-Key: this key is for something else: use a personal token",
    Action.ASSESS: f"X-API-Key: {IDS.remedy}",
    Action.INSPECT: "X-API-Key: needed to see this: a personal token",
    Action.WRITE: "X-API-Key: needed to write: the shared ingest token, a robot's secret or a personal token",
    Action.ACT: "X-API-Key: needed to change this: a personal token",
    Action.CONFIGURE: "X-API-Key: needed to configure this: a personal token",
    Action.ADMINISTER: "X-API-Key: needed to administer this: a personal token",
}


def may(caller: Caller, action: Action, robot: Robot) -> bool:
    """Say whether the caller may do this to this robot, with the key they have. Pure; `robots` is the same table as a query."""
    if robot.deleted_at is not None or SCOPES[action] not in caller.scopes:
        return False
    holds = {
        Reach.ALL: True,
        Reach.SHARED: robot.shared,
        Reach.OWN: robot.pk == caller.robot_id,
        Reach.TEAM: robot.organisation_id in _teams(caller, action),
    }
    return any(holds[reach] for reach in _reaches(caller, action))


def robots(caller: Caller, action: Action) -> QuerySet[Robot]:
    """The robots to which the caller may do this. What a token was made for is asked at the door: see `check`."""
    found = Robot.objects.filter(deleted_at=None)
    which = Q(pk__in=[])
    for reach in _reaches(caller, action):
        match reach:
            case Reach.ALL:
                return found
            case Reach.SHARED:
                which |= Q(shared=True)
            case Reach.OWN:
                which |= Q(pk=caller.robot_id)
            case Reach.TEAM:
                which |= Q(organisation__in=_teams(caller, action))
    return found.filter(which)


def organisations(caller: Caller, action: Action) -> QuerySet[Organisation]:
    """The organisations to all of whose robots the caller may do this."""
    reaches = _reaches(caller, action)
    if Reach.ALL in reaches:
        return Organisation.objects.all()
    return Organisation.objects.filter(pk__in=_teams(caller, action) if Reach.TEAM in reaches else [])


def visible_to(caller: Caller) -> QuerySet[Robot]:
    """Robots this caller may know of."""
    return robots(caller, Action.SEE)


def ids_seen(caller: Caller) -> frozenset[str]:
    """Ids of the robots this caller may know of."""
    return frozenset(visible_to(caller).values_list("robot_id", flat=True))


def ids_now(caller: Caller) -> frozenset[str]:
    """Ids of the robots that whoever came as this caller may know of now: asked again and again while a stream is open."""
    return ids_seen(again(caller))


def check(caller: Caller, action: Action) -> None:
    """Stop whoever may do this to no robot, whichever it is.

    Raises:
        Denied: 401 for a kind of caller that never may; 403 for a token that was not made for it.
    """
    if action not in CALLERS[_name(caller)]:
        raise Denied(401, _NO_KEY[action])
    if SCOPES[action] not in caller.scopes:
        scope = SCOPES[action]
        raise Denied(403, f"X-API-Key: this token lacks the scope {scope.value!r}: make a token that has it, on the profile page")


def need(caller: Caller, action: Action, robot_id: str) -> Robot:
    """The robot, when the caller may do this to it.

    Raises:
        Denied: 404, they may not know of it, or there is none; 403, they see it and may not.
    """
    robot = None if "\x00" in robot_id else robots(caller, Action.SEE).filter(pk=robot_id).first()
    if robot is None:
        raise Denied(404, f"robot_id: there is no robot {robot_id[:64]!r} that you may see")
    if not may(caller, action, robot):
        raise Denied(403, f"robot_id: you may see {robot_id}, but only {names_of(action)} of its organisation may {action} here")
    return robot


def names_of(action: Action) -> str:
    """`operators, maintainers and owners`: the roles that may do this."""
    names = [f"{role.value}s" for role, actions in ROLES.items() if action in actions]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def roles_in_words() -> str:
    """What each role may do, for the command line: roles that may the same stand together."""
    alike: dict[frozenset[Action], list[str]] = {}
    for role, actions in ROLES.items():
        alike.setdefault(actions, []).append(role.value)
    lines = (
        f"{', '.join(names)}: {', '.join(str(IN_WORDS[action]) for action in Action if action in actions)}"
        for actions, names in alike.items()
    )
    return "; ".join(lines)


class Needs:
    """The rule of one operation of an API (`auth=Needs(Action.SEE)`): asked before the view, whose caller is `request.auth`."""

    #: How the OpenAPI description says it.
    openapi_name = "X-API-Key"
    openapi_security_schema: Final = {"type": "apiKey", "in": "header", "name": "X-API-Key"}

    def __init__(self, action: Action, door: Door = TELEMETRY) -> None:
        self.rule = action
        self._door = door

    def __call__(self, request: HttpRequest) -> Caller:
        """Who asks.

        Raises:
            Denied: 401 or 403, whichever robot it is about.
        """
        caller = caller_of(request, self._door)
        check(caller, self.rule)
        return caller


def asking(request: HttpRequest) -> Caller:
    """The caller whom `Needs` let in."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


def _teams(caller: Caller, action: Action) -> list[int]:
    return [organisation for organisation, role in caller.roles if action in ROLES[role]]


def _reaches(caller: Caller, action: Action) -> tuple[Reach, ...]:
    return CALLERS[_name(caller)].get(action, ())


def _name(caller: Caller) -> str:
    if caller.superuser:
        return "superuser"
    return f"service:{caller.service}" if caller.service else caller.kind

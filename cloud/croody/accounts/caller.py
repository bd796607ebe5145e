"""Who is asking, as one value made in one place: from a session, or from the key in `X-API-Key`. What they may do is `fleet.access`'s.

A key that is nobody's is refused; no key and no session is anonymous, or in the demo, on this very machine, `demo`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from ipaddress import ip_address
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.http import HttpRequest

from croody.accounts.models import Membership, Organisation, Token
from croody.accounts.services import token_of_secret, works
from croody.audit.actor import Actor
from croody.web import request_id
from croody.web.client_address import visitor
from croody.web.refusals import Denied

Kind = Literal["anonymous", "demo", "robot", "person", "token", "service"]
Role = Membership.Role
Scope = Token.Scope
#: What everybody has who was not given less: only a token can be narrower than its owner.
EVERY_SCOPE: Final = frozenset(Scope)
_FORWARDED: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


@dataclass(frozen=True, slots=True)
class Caller:
    """Hashable, so that those who see the same can share the work.

    Attributes:
        user_id: of a person, or of a token's owner; None of an organisation's service token, whose role is the token's own.
        superuser: may do everything to every robot.
        roles: (organisation, role) in ascending order; of the site's shared tokens, too, which are operators of one organisation.
        robot_id: of a robot that shows its own secret.
        scopes: what a token was made for.
        token_id: the token's row.
        service: which of the site's own keys this is: `ingest`, `ids` or `bridge`.
    """

    kind: Kind
    user_id: int | None = None
    superuser: bool = False
    roles: tuple[tuple[int, Role], ...] = ()
    robot_id: str = ""
    scopes: frozenset[Scope] = EVERY_SCOPE
    token_id: int | None = None
    service: str = ""


class Door(NamedTuple):
    """An API: whose keys of the site open it. While its first one is not set, the demo needs none.

    `bearer`: a key in `Authorization: Bearer` opens it, too. Older APIs never looked there, and proxies of other people's may.
    """

    services: tuple[str, ...]
    remedy: str
    bearer: bool = False


TELEMETRY: Final = Door(("ingest", "bridge"), "nobody's key: use the shared ingest token, a robot's secret or a personal token")
IDS: Final = Door(("ids",), "missing or wrong: send the value of IDS_API_TOKEN or a personal token (from the profile page)")
ANONYMOUS: Final = Caller("anonymous")
DEMO: Final = Caller("demo")

#: A robot's secret -> its id, None for no robot's.
Resolver = Callable[[str, datetime], str | None]
_resolvers: list[Resolver] = []
_second_factors: list[Callable[[int], bool]] = []


def register_robots(resolver: Resolver) -> None:
    """Name the one place that knows robots' secrets: the fleet, at its start. Accounts lie below it and never import it."""
    _resolvers[:] = [resolver]


def register_second_factors(has_one: Callable[[int], bool]) -> None:
    """Name the one place that knows who has a second factor: the log-in, at its start. The API roles have none."""
    _second_factors[:] = [has_one]


def caller_of(request: HttpRequest, door: Door = TELEMETRY) -> Caller:
    """Who sent this: by key, else by session, else whoever this machine's own may be.

    Raises:
        Denied: 401, the key is nobody's.
    """
    key = request.headers.get("X-API-Key", "")
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if not key and door.bearer and scheme.lower() == "bearer":
        key = bearer.strip()
    if key:
        return _of_key(key, door)
    person = of_session(request)
    if person.kind == "anonymous" and is_open_demo(request, door):
        return DEMO
    return person


def of_session(request: HttpRequest) -> Caller:
    """The signed-in person, else the public: what pages show. The API roles have no sessions."""
    return of_user(getattr(request, "user", None) or AnonymousUser())


def of_user(user: AbstractBaseUser | AnonymousUser) -> Caller:
    """This person as a caller; the public, when they are nobody or shut out.

    Being staff opens the admin site and nothing else: what a person may do is said by memberships alone.
    """
    if not isinstance(user, User) or not user.is_active:
        return ANONYMOUS
    return Caller("person", user_id=user.pk, superuser=user.is_superuser, roles=_roles_of(user.pk))


def left_out(user: User) -> bool:
    """Say whether an organisation of theirs asks for a second factor that they do not have."""
    asking = Membership.objects.filter(user=user, organisation__asks_second_factor=True)
    return asking.exists() and not has_second_factor(user.pk)


def again(caller: Caller) -> Caller:
    """The same caller as things are now: a stream is open for hours, and memberships and tokens end meanwhile."""
    if caller.token_id is not None:
        token = Token.objects.select_related("user").filter(works(datetime.now(UTC)), pk=caller.token_id).first()
        return _of_token(token) if token is not None else ANONYMOUS
    if caller.user_id is not None:
        return of_user(User.objects.filter(pk=caller.user_id).first() or AnonymousUser())
    return caller


def actor_of(request: HttpRequest, caller: Caller) -> Actor:
    """The caller as the audit log keeps them: with their name of today, and where the request came from."""
    if caller.service:
        name = caller.service
    elif caller.kind == "robot":
        name = caller.robot_id
    elif caller.token_id is not None and caller.user_id is None:
        name = Token.objects.filter(pk=caller.token_id).values_list("name", flat=True).first() or ""
    else:
        name = _name_of(request, caller.user_id)
    return Actor(caller.kind, caller.user_id, name, caller.token_id, _address_of(request), request_id.current())


def _address_of(request: HttpRequest) -> str:
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return str(visitor(request.META.get("REMOTE_ADDR", ""), forwarded, settings.ENV.trusted_proxies) or "")


def _name_of(request: HttpRequest, user_id: int | None) -> str:
    if user_id is None:
        return ""
    user = getattr(request, "user", None)
    if isinstance(user, User) and user.pk == user_id:
        return user.get_username()
    return User.objects.filter(pk=user_id).values_list("username", flat=True).first() or ""


def is_open_demo(request: HttpRequest, door: Door = TELEMETRY) -> bool:
    """Say whether this request needs no key: demo mode, no key of the site set for this door, and from this very machine.

    A page of another site that a browser here has open is not this machine's owner: its `Origin` gives it away.
    """
    return bool(settings.ENV.demo and not _secret_of(door.services[0]) and is_local(request) and _is_own_origin(request))


def _of_key(key: str, door: Door) -> Caller:
    for service in door.services:
        secret = _secret_of(service)
        if secret and compare_digest(key.encode("utf-8", "surrogatepass"), secret.encode()):
            return Caller("service", service=service, roles=_roles_of_first() if service in {"ingest", "ids"} else ())
    now = datetime.now(UTC)
    token = token_of_secret(key, now=now)
    if token is not None:
        return _of_token(token)
    for resolve in _resolvers:
        robot_id = resolve(key, now)
        if robot_id is not None:
            return Caller("robot", robot_id=robot_id)
    raise Denied(401, f"X-API-Key: {door.remedy}")


def _of_token(token: Token) -> Caller:
    scopes = frozenset(Scope(name) for name in token.scopes if name in Scope.values)
    if token.user is None:
        role = ((token.organisation_id, Role(token.role)),) if token.organisation_id is not None else ()
        return Caller("token", roles=role, scopes=scopes, token_id=token.pk)
    owner = of_user(token.user)
    if owner.user_id is None:
        return ANONYMOUS
    return Caller("token", owner.user_id, owner.superuser, owner.roles, scopes=scopes, token_id=token.pk)


def _roles_of(user_id: int) -> tuple[tuple[int, Role], ...]:
    rows = Membership.objects.filter(user_id=user_id).order_by("organisation_id")
    found = list(rows.values_list("organisation_id", "role", "organisation__asks_second_factor"))
    if any(asks for _organisation, _role, asks in found) and not has_second_factor(user_id):
        found = [row for row in found if not row[2]]
    return tuple((organisation, Role(role)) for organisation, role, _asks in found)


def has_second_factor(user_id: int) -> bool:
    """Say whether this person has one: known where people sign in. Elsewhere there are tokens, which were made there."""
    return not _second_factors or _second_factors[0](user_id)


def _roles_of_first() -> tuple[tuple[int, Role], ...]:
    """The site's own tokens are older than organisations, and belong to the first one."""
    first = Organisation.objects.order_by("pk").values_list("pk", flat=True).first()
    return ((first, Role.OPERATOR),) if first is not None else ()


def _secret_of(service: str) -> str:
    env = settings.ENV
    secrets: dict[str, str] = {"ingest": env.ingest_token, "ids": env.ids_token, "bridge": env.bridge_token}
    return secrets[service]


def is_local(request: HttpRequest) -> bool:
    """Say whether the request comes from this machine, not through a proxy that speaks for somebody else."""
    if any(request.META.get(name) for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _is_own_origin(request: HttpRequest) -> bool:
    """Say whether no page of another site is behind this request."""
    origin = request.headers.get("Origin")
    if not origin or origin in settings.ENV.allowed_origins:
        return True
    return urlsplit(origin).netloc == request.get_host()

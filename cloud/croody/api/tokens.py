"""Keys of programs: one's own, and those of an organisation's service for who owns it. A secret is in one answer and in none after it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Query, Router, Status

from croody.accounts import tokens
from croody.accounts.caller import Caller, Role, Scope, actor_of
from croody.accounts.models import Token
from croody.accounts.organisation_rules import Affair, need
from croody.accounts.services import token_of
from croody.api.authentication import AsksPerson
from croody.api.errors import ERRORS, Conflict, Problem, Wrong
from croody.api.request_bodies import TokenIn
from croody.api.schemas import TokenRow, TokenSecretOut, TokensOut
from croody.fleet.access import asking
from croody.web.refusals import Denied

router = Router(tags=["keys"])
_ALL: Final[dict[int, Any]] = {404: Problem, **ERRORS}
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="A key's number")]
Whose = Annotated[str | None, Query(max_length=50, description="Of this organisation's service; yours without it")]


@router.get("/tokens", auth=AsksPerson(Scope.READ), response={200: TokensOut, **_ALL}, summary="Keys that work now")
def listed(request: HttpRequest, organisation: Whose = None) -> dict[str, Any]:
    """Without their secrets, the newest first. There are so few that one page holds them."""
    caller, now = asking(request), timezone.now()
    if organisation is not None:
        return {"items": _rows(tokens.of_organisation(need(caller, Affair.TOKENS, organisation), now)), "next": None}
    user = _person(caller)
    unnamed = token_of(user)
    return {"items": _rows([*filter(None, [unnamed]), *tokens.personal(user, now)]), "next": None}


@router.post("/tokens", auth=AsksPerson(Scope.MANAGE), response={201: TokenSecretOut, 409: Problem, **_ALL}, summary="Make a key")
def make(request: HttpRequest, body: TokenIn, response: HttpResponse) -> Status[dict[str, Any]]:
    """Its secret is told here and never again. A key makes none that can more or works longer than itself."""
    caller, now = asking(request), timezone.now()
    if body.role is not None and body.organisation is None:
        raise Wrong("role", body.role, "your own key does what you may", "leave it out, or name an organisation")
    said: dict[str, Any] = {"scopes": set(body.scopes), "days": body.days, "now": now, "actor": actor_of(request, caller)}
    owner = need(caller, Affair.TOKENS, body.organisation) if body.organisation is not None else _person(caller)
    try:
        tokens.check_within(caller, body.scopes, body.days, now)
        if isinstance(owner, User):
            token, secret = tokens.make_personal(owner, _name(body.name), **said)
        else:
            token, secret = tokens.make_service(owner, _name(body.name), role=body.role or Role.VIEWER, **said)
    except tokens.TooWide as error:
        raise Wrong.said(str(error), "too_wide") from error
    except tokens.TooMany as error:
        raise Conflict(str(error), "too_many_keys") from error
    response["Cache-Control"] = "no-store"
    return Status(201, {"token": _rows([token])[0], "secret": secret})


@router.delete("/tokens/{number}", auth=AsksPerson(Scope.MANAGE), response={200: TokenRow, **_ALL}, summary="Shut a key out")
def revoke(request: HttpRequest, number: Number) -> dict[str, Any]:
    """At once, the one too that asks for it. Nothing happens when it is out already."""
    caller, now = asking(request), timezone.now()
    token = Token.objects.select_related("user", "organisation", "made_by").filter(pk=number).first()
    if token is None or not _may_revoke(caller, token):
        raise Denied(404, f"number: there is no key {number} of yours, nor of an organisation that you may see")
    tokens.revoke(token, now=now, actor=actor_of(request, caller))
    token.refresh_from_db(fields=["revoked_at"])
    return _rows([token])[0]


def _may_revoke(caller: Caller, token: Token) -> bool:
    if token.organisation is None:
        return token.user_id == caller.user_id
    return bool(need(caller, Affair.TOKENS, token.organisation.slug))


def _person(caller: Caller) -> User:
    """Whose own keys they are.

    Raises:
        Wrong: an organisation's key asks, who is no person.
    """
    user = User.objects.filter(pk=caller.user_id).first() if caller.user_id is not None else None
    if user is None:
        raise Wrong("organisation", "null", "a service has no keys of its own", "name the organisation", status=422)
    return user


def _name(text: str) -> str:
    """One line.

    Raises:
        Wrong: nothing is left of it.
    """
    name = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if not name:
        raise Wrong("name", text, "a name that you recognise", "write what the key is for")
    return name


def _rows(found: Sequence[Token]) -> list[dict[str, Any]]:
    plain = ("name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    return [
        {
            "number": one.pk,
            "organisation": one.organisation.slug if one.organisation else None,
            "role": one.role or None,
            "made_by": one.made_by.get_username() if one.made_by else None,
            **{name: getattr(one, name) for name in plain},
        }
        for one in found
    ]

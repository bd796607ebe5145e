"""`/integrar/`: lines that run against this very server, and two buttons that really do it: send a reading, ask the detector."""

import json
from datetime import timedelta
from typing import Any, Final

import httpx
import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from croody.accounts import throttle, tokens
from croody.accounts.caller import actor_of, of_session
from croody.accounts.models import Token
from croody.accounts.rules import open_to
from croody.console.add_robot.facts import addresses
from croody.fleet.access import Action, robots
from croody.site import snippets
from croody.telemetry.ingest import services as ingest
from croody_contract.messages import Refused, Telemetry

#: Tries of one address in an hour, and robots to choose from.
MOST: Final = 30
CHOICES: Final = 50
#: A key that the page makes is for trying: after so many days it is over.
KEY_DAYS: Final = 30
#: As the detector's reference has it: a quiet connection, and one that looks like a scan.
ROWS: Final = (
    {"protocol_type": "tcp", "service": "http", "flag": "SF", "src_bytes": 215, "dst_bytes": 4507, "count": 4, "srv_count": 4},
    {"protocol_type": "tcp", "service": "private", "flag": "S0", "count": 255, "srv_count": 9, "serror_rate": 1.0},
)
_PATIENCE_S: Final = 5.0


@never_cache
@open_to("anybody")
def integrate(request: HttpRequest) -> HttpResponseBase:
    """Show the lines; do what a button asks."""
    caller = of_session(request)
    mine = list(robots(caller, Action.WRITE).order_by("pk").values_list("robot_id", flat=True)[:CHOICES]) if caller.kind == "person" else []
    asked = request.POST.get("do", "") if request.method == "POST" else ""
    answer: dict[str, Any] = {}
    key = ""
    if asked == "key":
        answer, key = _fresh_key(request)
    elif asked:
        answer = {"about": asked, **_done(request, asked, mine)}
    robot = request.POST.get("robot", "") if request.POST.get("robot", "") in mine else next(iter(mine), snippets.ROBOT)
    where = addresses(request)
    context = {
        "section": "integrate",
        "mine": mine,
        "answer": answer,
        "fresh_key": key,
        "key_days": KEY_DAYS,
        "snippets": snippets.all_of(where.broker, where.api, robot=robot, key=key or snippets.SECRET),
        "rows": _pretty(ROWS),
    }
    return render(request, "site/integrate.html", context)


def _done(request: HttpRequest, asked: str, mine: list[str]) -> dict[str, Any]:
    if not throttle.may_try("integrate", throttle.address_of(request), MOST, timedelta(hours=1)):
        return {"well": False, "text": _("Desde tu red se probó demasiado en la última hora: espera un rato.")}
    if asked == "ids":
        return _ask_detector()
    robot_id = request.POST.get("robot", "")
    if robot_id not in mine:
        return {"well": False, "text": _("Elige un robot tuyo: la lectura va en su nombre.")}
    return _send_reading(robot_id)


def _fresh_key(request: HttpRequest) -> tuple[dict[str, Any], str]:
    """A key that sends readings, in the lines of the page; shown this once. Empty for who is not signed in."""
    if not isinstance(request.user, User):
        return {"well": False, "text": _("Entra primero: la clave es de tu cuenta.")}, ""
    name = f"/integrar/ {timezone.now():%Y-%m-%d %H:%M}"
    actor, scopes = actor_of(request, of_session(request)), (Token.Scope.INGEST, Token.Scope.READ)
    try:
        _made, secret = tokens.make_personal(request.user, name, scopes=scopes, days=KEY_DAYS, now=timezone.now(), actor=actor)
    except tokens.TooMany as refused:
        return {"well": False, "text": str(refused)}, ""
    return {"well": True, "text": _("Tu clave está en los renglones. La mostramos esta vez, y nunca más.")}, secret


def _send_reading(robot_id: str) -> dict[str, Any]:
    """By the same function as the API."""
    try:
        row = ingest.ingest_one(Telemetry(data={"temp_c": 21.5, "battery_pct": 80}), robot_id, "http", now=timezone.now())
    except (ingest.HeldBack, Refused) as refused:
        return {"well": False, "text": str(refused)}
    return {"well": True, "text": _("Guardada. Esto responde la API:"), "body": _pretty(msgspec.to_builtins(row))}


def _ask_detector() -> dict[str, Any]:
    headers = {"X-API-Key": settings.ENV.ids_token} if settings.ENV.ids_token else {}
    try:
        said = httpx.post(
            f"{settings.ENV.ids_url.rstrip('/')}/api/ids/predict",
            json={"rows": ROWS},
            headers=headers,
            timeout=_PATIENCE_S,
            trust_env=False,
        )
        body = said.json()
    except (httpx.HTTPError, ValueError):
        return {"well": False, "text": _("El detector no responde ahora: prueba en un minuto, o mira el estado.")}
    text = (
        _("El detector responde:")
        if said.status_code == 200
        else _("El detector no lo aceptó (%(status)s):") % {"status": said.status_code}
    )
    return {"well": said.status_code == 200, "text": text, "body": _pretty(body)}


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)[:8000]

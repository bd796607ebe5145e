"""`/` and `/estado/`. Both show while the database is away, and say so."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseError
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.accounts.rules import open_to
from croody.live.words import words as live_words
from croody.liveness import parts as health
from croody.manage import CHECKOUT_ENV
from croody.monitor import facts, page
from croody.monitor.stream import feed
from croody.site import history
from croody.site.models import Outage
from croody.web import formats

#: Outages that are told of.
_MOST_OUTAGES = 20


@never_cache
@require_GET
@open_to("anybody")
def home(request: HttpRequest) -> HttpResponse:
    """What Croody is, what its robots do now, and how to connect one."""
    now = timezone.now()
    context: dict[str, Any] = {"section": "home", "now": now.timestamp(), "words": live_words(), **_addresses(request)}
    try:
        roster = facts.roster(of_session(request), now)
        entries = {entry.robot_id: entry for entry in facts.entries(roster.robots[: page.STRIP])}
    except DatabaseError:
        connections.close_all()
        request.user = AnonymousUser()
        return render(request, "site/home.html", {**context, "lost": True})
    strip = page.strip(roster, entries, page.Rows(now, get_language() or "es", feed.gaps_for_a_page()))
    return render(request, "site/home.html", {**context, **strip.context})


@never_cache
@require_GET
@open_to("anybody")
def status(request: HttpRequest) -> HttpResponse:
    """Is Croody up: each part, whether it answers. For strangers too, so it names no address and no error."""
    words = {
        "web": (_("Web"), _("Estas páginas y lo que se ve en vivo")),
        "database": (_("Base de datos"), _("Guarda lecturas, cuentas y el libro de entregas")),
        "broker": (_("Broker MQTT"), _("Recibe a los robots")),
        "bridge": (_("Puente"), _("Lleva lo que llega por MQTT a la base de datos y devuelve el acuse")),
        "telemetry": (_("API de lecturas"), _("Guarda y entrega lecturas por HTTP")),
        "ids": (_("Detector de intrusos"), _("Puntúa flujos y ventanas sospechosas")),
        "worker": (_("Trabajos por reloj"), _("Retención, huecos, alertas y credenciales")),
    }
    now = timezone.now()
    parts = []
    found = health.answers()
    for answer in found:
        name, purpose = words[answer.part]
        age = formats.age_of(answer.since, now) if answer.since is not None and not answer.well else ""
        waits_for = words[answer.waits_for][0] if answer.waits_for is not None else ""
        parts.append({"name": name, "purpose": purpose, "well": answer.well, "age": age, "waits_for": waits_for})
    down = [part["name"] for part in parts if not part["well"] and not part["waits_for"]]
    if not down:
        sentence = _("Croody está en marcha")
    elif len(down) == 1:
        sentence = _("No responde: %(part)s") % {"part": down[0]}
    else:
        sentence = ngettext("%(count)s parte no responde", "%(count)s partes no responden", len(down)) % {"count": len(down)}
    context: dict[str, Any] = {"section": "status", "sentence": sentence, "parts": parts, "checked": now}
    if any(answer.part == "database" and not answer.well for answer in found):
        request.user = AnonymousUser()
        return render(request, "site/status.html", context)
    language = get_language() or "es"
    context |= {"history": [_past(words[part][0], days, language) for part, days in history.days_of(now).items()]}
    context |= {"outages": [_outage(one, language) for one in Outage.objects.order_by("-began_at")[:_MOST_OUTAGES]]}
    return render(request, "site/status.html", context)


def _past(name: str, days: list[history.Day], language: str) -> dict[str, Any]:
    """A part's ninety days: a mark a day, and the same in words."""
    checks, well = sum(day.checks for day in days), sum(day.well for day in days)
    bad = [day for day in days if day.level in ("short", "down")]
    share = formats.percent(well, checks, language) if checks else formats.NEVER
    said = ngettext("%(share)s bien; %(count)s día con fallas", "%(share)s bien; %(count)s días con fallas", len(bad))
    said %= {"share": share, "count": len(bad)}
    return {
        "name": name,
        "share": share,
        "days": [day.level for day in days],
        "bad": [{"day": day.day, "share": formats.percent(day.well, day.checks, language)} for day in reversed(bad)],
        "said": said if checks else _("sin datos todavía"),
    }


def _outage(one: Outage, language: str) -> dict[str, Any]:
    english = language == "en"
    return {
        "title": one.title_en if english else one.title_es,
        "text": one.text_en if english else one.text_es,
        "began": one.began_at,
        "ended": one.ended_at,
    }


def _addresses(request: HttpRequest) -> dict[str, Any]:
    """How a robot reaches this very server: the name people reach the page by, and the ports of the parts."""
    host = urlsplit(f"//{request.get_host()}").hostname or "localhost"
    # As it is typed in the folder of this very system: a clone that `make up` runs, or a server with Docker.
    command = {"croody": ".venv/bin/croody" if CHECKOUT_ENV.exists() else "./croody"}
    if settings.ENV.demo:
        broker, telemetry = urlsplit(settings.ENV.broker_url), urlsplit(settings.ENV.telemetry_url)
        demo = {"mqtt_host": host, "mqtt_port": broker.port or 1883, "tls": False, "api": f"http://{host}:{telemetry.port or 80}"}
        return {**command, **demo}
    return {**command, "mqtt_host": host, "mqtt_port": 8883, "tls": True, "api": f"{request.scheme}://{request.get_host()}"}

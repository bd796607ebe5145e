"""What only a robot's team sees on the monitor, below what everybody sees: alarms and what was noticed. It is drawn again as a whole."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language

from croody.accounts.caller import Caller, of_session
from croody.monitor import alarm_facts, alarm_words, detection_facts, detection_words


def context(caller: Caller, now: datetime) -> dict[str, Any]:
    """What the templates need; nothing for whoever works with no robot."""
    noticed = detection_facts.read(caller, now)
    if noticed is None:
        return {}
    language = get_language() or "es"
    return {"found": detection_words.words(noticed, now, language), "alarms": alarm_words.section(alarm_facts.few(caller), now, language)}


def section(request: HttpRequest, *, said: str = "") -> HttpResponse:
    """The piece by itself. 404 for whoever has none: nothing tells it from an address that is not there."""
    found = context(of_session(request), timezone.now())
    if not found:
        raise Http404
    return render(request, "monitor/team.html", {**found, "said": said})

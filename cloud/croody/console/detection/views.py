"""The page of detection, and the act of saying what a window was."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.console.detection import facts, incident_facts, incident_words, model_facts, model_words, words
from croody.console.detection.selection import MOST_PAGES, Selection
from croody.console.frame import draw
from croody.console.page_access import act, done, page
from croody.detection.labels import label
from croody.monitor import detection_words as monitor
from croody.web.refusals import Denied

_HERE = "console_detection"


@page()
def index(request: HttpRequest) -> HttpResponseBase:
    """Who behaves oddly, verdicts, and how good the detector is."""
    asked, now, language = Selection.of(request.GET.dict()), timezone.now(), get_language() or "es"
    caller = of_session(request)
    found, intruders = facts.read(caller, asked, now), incident_facts.read(caller, asked, now)
    context = {
        "sentence": words.sentence(found, language),
        "tally": monitor.sentence(found.tally, language),
        "incidents": words.listed(found.incidents, now, language),
        "noted": incident_words.incidents(intruders, now, language),
        "say": incident_words.SAY,
        "exceptions": incident_words.exceptions(intruders, language),
        "calibrations": incident_words.calibrations(intruders, now, language),
        "well": incident_words.well(intruders.quality, language),
        "older": asked.address(before=intruders.next, page=asked.page) if intruders.next else "",
        "newest": asked.address(before=None, page=asked.page) if asked.before else "",
        "anomalies": words.listed(found.anomalies, now, language),
        "missed": monitor.missed_sentence(found.missed, language),
        "people": words.people_sentence(found.people, language),
        "rows": [words.row(verdict, verdict.robot_id in found.may_label, now, language) for verdict in found.verdicts],
        "labels": words.LABELS,
        "asked": asked,
        "here": asked.address(page=asked.page),
        "chips": words.chips(asked),
        "clear": Selection().address(),
        "previous": asked.address(page=asked.page - 1) if asked.page > 1 else "",
        "next": asked.address(page=asked.page + 1) if found.more and asked.page < MOST_PAGES else "",
        "site_models": model_words.listed(model_facts.read(caller, now), language),
        "models": words.models(found, language),
        "cloud": found.cloud,
        "card": words.card(found.cloud, language),
    }
    return draw(request, "console/detection/detection.html", context, page="detection")


@act(back=_HERE)
def say(request: HttpRequest, number: int) -> HttpResponseBase:
    """What the window of this verdict was."""
    caller = of_session(request)
    try:
        verdict = label(caller, number, request.POST.get("label", ""), actor=actor_of(request, caller), now=timezone.now())
    except ValueError as error:
        raise Denied(404, str(error)) from error
    said = words.LABELS.get(verdict.label)
    # Back to the part of the list that was looked at: its own query, made anew of what it can mean.
    asked = Selection.of(request.GET.dict())
    where = f"{reverse(_HERE)}{asked.address(page=asked.page)}#verdict-{verdict.pk}"
    return done(request, where, _("Anotado: %(said)s") % {"said": said} if said else _("Ya no está dicho qué era."))

"""Pages with forms: `/contacto/` and `/buddy/suscripciones/`; and what they brought, for who keeps the shop."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from croody.accounts import throttle
from croody.accounts.rules import open_to
from croody.console import csv_file
from croody.shop.access import ShopAct
from croody.shop.staff.views import keeps
from croody.site import services
from croody.site.forms import PLANS, Beta, Contact
from croody.site.models import BetaRequest, Message

#: Forms that one address may send in an hour.
MOST: Final = 10
#: Messages that are listed; the export has all of the beta.
LISTED: Final = 200


@never_cache
@open_to("anybody")
def contact(request: HttpRequest) -> HttpResponseBase:
    """A message to who runs this Croody."""
    form = Contact(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if not form.is_trapped:
            if not _may(request, "contact"):
                return _shown(request, "site/contact.html", form, status=429, late=True)
            said = form.cleaned_data
            text = said["text"].replace("\x00", "")
            services.write(said["name"], said["email"], text, get_language() or "es", now=timezone.now())
        return redirect(f"{reverse('contact')}?enviado=1")
    return _shown(request, "site/contact.html", form)


@never_cache
@open_to("anybody")
def plans(request: HttpRequest) -> HttpResponseBase:
    """How one may have a Buddy, and the form for its beta."""
    form = Beta(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if not form.is_trapped:
            if not _may(request, "beta"):
                return _shown(request, "site/plans.html", form, status=429, late=True)
            said, language = form.cleaned_data, get_language() or "es"
            link = request.build_absolute_uri(reverse("buddy_confirm", kwargs={"token": "-"}))[: -len("-/")]
            services.ask(said["email"], said["plan"], said["note"].replace("\x00", ""), language, link, now=timezone.now())
        return redirect(f"{reverse('buddy_plans')}?enviado=1")
    return _shown(request, "site/plans.html", form)


@never_cache
@open_to("anybody")
def confirm(request: HttpRequest, token: str) -> HttpResponseBase:
    """The link of the mail: a page with one button, so that a preview of it confirms nothing."""
    asked = services.waiting(token)
    if asked is not None and request.method == "POST":
        services.confirm(asked, now=timezone.now())
    done = asked is not None and (request.method == "POST" or asked.confirmed_at is not None)
    status = 200 if asked is not None else 410
    return render(request, "site/confirm.html", {"section": "buddy", "asked": asked, "done": done}, status=status)


@keeps(ShopAct.LOOK)
def messages_of_visitors(request: HttpRequest) -> HttpResponseBase:
    """What visitors wrote, and how many want to try Buddy."""
    rows = list(Message.objects.order_by("-pk")[:LISTED])
    confirmed = BetaRequest.objects.exclude(confirmed_at=None).count()
    context = {"messages_of_visitors": rows, "confirmed": confirmed, "keeping": "messages", "section": "shop"}
    return render(request, "site/messages.html", context)


@keeps(ShopAct.LOOK)
def export_beta(request: HttpRequest) -> HttpResponseBase:
    """Who confirmed that they want to try Buddy, as CSV."""
    head = ("email", "plan", "note", "language", "asked_at", "confirmed_at")

    def found() -> Iterator[list[list[Any]]]:
        after = 0
        while rows := list(BetaRequest.objects.filter(pk__gt=after).exclude(confirmed_at=None).order_by("pk")[:500]):
            yield [[getattr(row, name) for name in head] for row in rows]
            after = rows[-1].pk

    return csv_file.answer(request, "croody-buddy-beta.csv", head, found())


def _may(request: HttpRequest, what: str) -> bool:
    return throttle.may_try(what, throttle.address_of(request), MOST, timedelta(hours=1))


def _shown(request: HttpRequest, template: str, form: Contact | Beta, *, status: int = 200, late: bool = False) -> HttpResponseBase:
    wait = _("Desde tu red llegaron demasiados en la última hora: espera un rato y envíalo otra vez.") if late else ""
    context = {"form": form, "sent": "enviado" in request.GET, "wait": wait, "plans": list(PLANS.items()), "section": "buddy"}
    return render(request, template, context, status=422 if form.errors else status)

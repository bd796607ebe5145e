"""What people like to see: name, language, theme, time zone, units. Kept with the account, and in a cookie: no page asks a table for it."""

import re
from typing import Any, Final, NamedTuple
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from croody.accounts.models import Preferences
from croody.accounts.rules import open_to
from croody.web import language, units, zones
from croody.web.answers import Steps, middleware

_COOKIE: Final = "look"
_YEAR_S: Final = 365 * 24 * 3600
_THEMES: Final = ("light", "dark")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}")


class Look(NamedTuple):
    """How pages look to somebody. What is empty is as the browser has it."""

    theme: str = ""
    zone: str = ""


def look(request: HttpRequest) -> dict[str, Any]:
    """For the layout of every page."""
    theme, zone, *_units = [*request.COOKIES.get(_COOKIE, "").split("."), ""]
    return {"look": Look(theme if theme in _THEMES else "", zone if _ZONE.fullmatch(zone) else "")}


def zone_of(request: HttpRequest) -> str:
    """The zone that this person's preferences name; UTC without one: the browser's is known to its scripts alone."""
    liked: str = look(request)["look"].zone
    return liked if liked and zones.zone(liked) else zones.UTC


@middleware
def read_in_units(request: HttpRequest) -> Steps:
    """What robots measure is worded in the units that this person likes."""
    with units.using(_units_of(request)):
        return (yield)


def _units_of(request: HttpRequest) -> units.Units:
    return units.parse(request.COOKIES.get(_COOKIE, "").rpartition(".")[2])


def dress(response: HttpResponseBase, user: User) -> None:
    """Let this browser show pages as this person likes them."""
    found = Preferences.objects.filter(user=user).first()
    if found is None:
        return
    value = f"{found.theme}.{found.zone}.{units.parse(found.units)}"
    response.set_cookie(_COOKIE, value, max_age=_YEAR_S, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax")
    if found.language:
        language.remember(response, found.language)


def undress(response: HttpResponseBase) -> None:
    """Whoever comes next at this browser likes what they like."""
    response.delete_cookie(_COOKIE, samesite="Lax")


def _zones() -> list[tuple[str, Any]]:
    named = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/", "SystemV/")))
    return [("", gettext_lazy("La de este equipo")), ("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in named)]


class Liked(forms.Form):
    """What can be chosen."""

    name = forms.CharField(
        label=gettext_lazy("Cómo te llamas"),
        max_length=150,
        required=False,
        help_text=gettext_lazy("Lo ven quienes comparten organización."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Idioma"),
        required=False,
        choices=[("", gettext_lazy("El del navegador")), ("es", "Español"), ("en", "English")],
        help_text=gettext_lazy("De las páginas cuya dirección no lo dice."),
    )
    theme = forms.ChoiceField(
        label=gettext_lazy("Tema"),
        required=False,
        choices=[("", gettext_lazy("El del sistema")), ("light", gettext_lazy("Claro")), ("dark", gettext_lazy("Oscuro"))],
        help_text=gettext_lazy("El botón de arriba lo cambia solo en ese navegador."),
    )
    zone = forms.ChoiceField(label=gettext_lazy("Zona horaria"), required=False, choices=_zones)
    temperature = forms.ChoiceField(label=gettext_lazy("Temperaturas"), choices=[("c", "°C"), ("f", "°F")], required=False)
    length = forms.ChoiceField(label=gettext_lazy("Distancias"), choices=[("m", "m, km"), ("ft", "ft, mi")], required=False)
    speed = forms.ChoiceField(
        label=gettext_lazy("Velocidades"),
        choices=[("mps", "m/s"), ("kmh", "km/h"), ("mph", "mph")],
        required=False,
        help_text=gettext_lazy("Lo que mide un robot se lee así; planos, reglas y exportaciones siguen en metros y °C."),
    )


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@open_to("people")
def page(request: HttpRequest) -> HttpResponse:
    """`/cuenta/preferencias/`."""
    assert isinstance(request.user, User)
    user, kept = request.user, Preferences.objects.filter(user=request.user).first() or Preferences()
    initial = {"name": user.get_full_name(), "language": kept.language, "theme": kept.theme, "zone": kept.zone}
    initial |= units.parse(kept.units)._asdict()
    form = Liked(request.POST or None, initial=initial)
    if request.method == "GET" or not form.is_valid():
        return render(request, "accounts/preferences.html", {"form": form}, status=422 if form.errors else 200)
    liked = form.cleaned_data
    User.objects.filter(pk=user.pk).update(first_name=liked["name"], last_name="")
    chosen = units.parse("-".join(liked[field] or default for field, default in units.SI._asdict().items()))
    defaults = {field: liked[field] for field in ("language", "theme", "zone")} | {"units": str(chosen)}
    Preferences.objects.update_or_create(user=user, defaults=defaults)
    messages.success(request, _("Preferencias guardadas."))
    response = redirect("preferences")
    dress(response, user)
    return response

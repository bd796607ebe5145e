"""`/cuenta/direcciones/`: where somebody wants things sent to."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from croody.accounts.caller import actor_of, of_session
from croody.accounts.rules import open_to
from croody.shop import addresses, countries, pages
from croody.shop.forms import Address
from croody.shop.models import SavedAddress, ShippingRate


@never_cache
@login_required
@open_to("people")
def listed(request: HttpRequest) -> HttpResponseBase:
    """Theirs, and the form for one more."""
    user = _user(request)
    form = Address(request.POST or None, initial={"name": user.get_full_name()}, codes=_codes())
    if request.method == "POST" and form.is_valid():
        try:
            addresses.keep(user, form.address(), actor=actor_of(request, of_session(request)), now=timezone.now())
            messages.success(request, _("Dirección guardada."))
            return pages.SeeOther(reverse("shop_addresses"))
        except addresses.Full as full:
            form.add_error(None, str(full))
    theirs = addresses.of(user)
    context = {"addresses": [shown(one) for one in theirs], "full": len(theirs) >= addresses.MOST, "most": addresses.MOST, "form": form}
    return _page(request, "shop/addresses.html", context, form)


@never_cache
@login_required
@open_to("people")
def one(request: HttpRequest, number: int) -> HttpResponseBase:
    """Change one, use it first, or take it away."""
    kept = addresses.found(_user(request), number)
    if kept is None:
        raise Http404("no address of yours")
    actor, now, do = actor_of(request, of_session(request)), timezone.now(), request.POST.get("do", "")
    if do == "first":
        addresses.use_first(kept, actor=actor, now=now)
        return pages.SeeOther(reverse("shop_addresses"))
    if do == "remove":
        addresses.remove(kept, actor=actor, now=now)
        messages.success(request, _("Dirección quitada. Los pedidos que ya hiciste no cambian."))
        return pages.SeeOther(reverse("shop_addresses"))
    form = Address(request.POST or None, initial=kept.address, codes=_codes() | {kept.address.get("country", "")})
    if request.method == "POST" and form.is_valid():
        addresses.change(kept, form.address(), actor=actor, now=now)
        messages.success(request, _("Dirección guardada."))
        return pages.SeeOther(reverse("shop_addresses"))
    return _page(request, "shop/address.html", {"form": form}, form)


def shown(one: SavedAddress) -> dict[str, Any]:
    """An address as pages show it."""
    short = ", ".join(part for part in (one.address.get("street", ""), one.address.get("city", "")) if part)
    country = countries.COUNTRIES.get(one.address.get("country", ""), "")
    return {"pk": one.pk, "to": one.address, "country": country, "first": one.is_default, "short": short}


def _page(request: HttpRequest, template: str, context: dict[str, Any], form: Address) -> HttpResponseBase:
    return pages.show(request, template, {**context, "section": "profile"}, status=422 if form.errors else 200)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _codes() -> set[str]:
    """Countries that something is delivered to; all that the shop knows, where nobody said that yet."""
    found = {code for rate in ShippingRate.objects.all()[:200] for code in rate.countries}
    return found or set(countries.COUNTRIES)

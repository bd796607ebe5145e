"""What every page of the shop has: its guard, its frame, its forms' answers. Knows no product."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache

from croody.accounts.caller import of_session
from croody.accounts.rules import open_to
from croody.shop import access, carts
from croody.shop.models import Seller

View = Callable[..., HttpResponseBase]


class SeeOther(HttpResponseRedirect):
    """After a form: 303, read the page there."""

    status_code = 303


def public(view: View) -> View:
    """A page for everybody."""
    return open_to("anybody")(never_cache(view))


def go_to(request: HttpRequest, there: str, home: str) -> HttpResponseBase:
    """After a form, on to a provider, or back `home`. To another site by a page of ours: by our policy forms lead nowhere else."""
    if there and not there.startswith("/"):
        return show(request, "shop/away.html", {"there": there, "host": urlsplit(there).hostname or "", "home": home})
    return SeeOther(there or home)


def form_of(back: str) -> Callable[[View], View]:
    """A form's address, for everybody. Who types it is led to the page `back`."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(request, *args, **kwargs) if request.method == "POST" else redirect(back)

        return public(guarded)

    return guard


def language() -> str:
    """The page's."""
    return get_language() or "es"


def seller() -> Seller | None:
    """Who sells here; None: nobody does yet."""
    return Seller.objects.first()


def show(
    request: HttpRequest, template: str, context: dict[str, Any], *, filled: carts.Filled | None = None, status: int = 200
) -> HttpResponse:
    """A page of the shop, with how many things are in the cart."""
    inside = carts.of(request) if filled is None else filled
    frame = {"section": "shop", "pieces": inside.pieces, "keeps": _keeps(request)}
    return render(request, template, {**frame, **context}, status=status)


def _keeps(request: HttpRequest) -> bool:
    """Whether whoever asks keeps the shop: then its pages lead to where that is done."""
    caller = of_session(request)
    here = seller() if caller.superuser or caller.roles else None
    return here is not None and access.may(caller, access.ShopAct.LOOK, here.organisation_id)

"""`/tienda/gestion/`: what has to be done next, for the people who keep the shop. Who may is `access`'."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from croody.accounts.caller import Caller, actor_of, of_session
from croody.accounts.rules import open_to
from croody.shop import access, countries, moves, orders, pages, stock, waits, words
from croody.shop.access import ShopAct
from croody.shop.models import Order, Product
from croody.shop.moves import State
from croody.shop.payments import services as payments
from croody.shop.payments.provider import Away
from croody.web import formats
from croody.web.address import page_number, whole
from croody.web.refusals import Denied

A_PAGE = 50
View = Callable[..., HttpResponseBase]


def keeps(act: ShopAct) -> Callable[[View], View]:
    """A page or form for those who keep the shop and may do this."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                access.need(of_session(request), act)
            except Denied as refused:
                if refused.status == 403:
                    raise PermissionDenied(refused.detail) from refused
                raise Http404(refused.detail) from refused
            return view(request, *args, **kwargs)

        marked: View = open_to(act)(never_cache(login_required(guarded)))
        return marked

    return guard


@keeps(ShopAct.LOOK)
def board(request: HttpRequest) -> HttpResponseBase:
    """Orders, those that wait for somebody first; by state in the address."""
    language = pages.language()
    counts = dict(Order.objects.values_list("state").annotate(count=Count("pk")))
    wanted = request.GET.get("estado", "")
    here = State(wanted) if wanted in list(State) else None
    rows = Order.objects.filter(state=here) if here is not None else Order.objects.filter(state__in=_OPEN)
    page = page_number(request.GET.get("pagina", ""))
    first = (page - 1) * A_PAGE
    found = list(rows.prefetch_related("lines").order_by("-pk")[first : first + A_PAGE + 1])
    to_do = sum(counts.get(state, 0) for state in (State.PAID, State.PREPARING))
    context = {
        "sentence": ngettext("%(count)s pedido por preparar o enviar", "%(count)s pedidos por preparar o enviar", to_do)
        % {"count": formats.number(to_do, 0, language)}
        if to_do
        else _("Ningún pedido espera tu mano"),
        "tabs": [{"word": _("Abiertos"), "key": "", "here": here is None, "count": sum(counts.get(one, 0) for one in _OPEN)}]
        + [{"word": word, "key": state.value, "here": here is state, "count": counts.get(state, 0)} for state, word in moves.WORDS.items()],
        "orders": [_listed(one, language) for one in found[:A_PAGE]],
        "keeping": "orders",
        "here": here or "",
        "before": page - 1 if page > 1 else None,
        "after": page + 1 if len(found) > A_PAGE else None,
    }
    return pages.show(request, "shop/staff/board.html", context)


@keeps(ShopAct.LOOK)
def order(request: HttpRequest, number: int) -> HttpResponseBase:
    """One order: what is in it, where it goes, what to do next."""
    one = get_object_or_404(Order, pk=number)
    language, caller = pages.language(), of_session(request)
    context = {
        "order": _listed(one, language),
        "at": one.created_at,
        "email": one.email,
        "to": one.address,
        "country": countries.COUNTRIES.get(one.address.get("country", ""), ""),
        "billed": one.invoice,
        "notes": one.notes,
        "how": one.delivery,
        "tracking": one.tracking,
        "payments": [
            {
                "provider": words.PROVIDERS.get(payment.provider, payment.provider),
                "status": words.PAYMENTS.get(payment.status, payment.status),
                "reference": payment.reference[:8],
                "at": payment.at,
            }
            for payment in one.payments.order_by("pk")
        ],
        "history": [
            {"word": words.step(event), "who": event.who, "note": event.note, "at": event.at} for event in one.events.order_by("pk")
        ],
        "unsent": [mail.created_at for mail in one.mails.filter(sent_at=None, next_at=None).order_by("pk")],
        "may_fulfil": _may(caller, ShopAct.FULFIL),
        "may_refund": _may(caller, ShopAct.REFUND) and moves.may_move(State(one.state), State.REFUNDED),
        "cancels": one.state == State.PENDING,
        "ships": one.state == State.PREPARING,
    }
    return pages.show(request, "shop/staff/order.html", context)


@keeps(ShopAct.FULFIL)
def move(request: HttpRequest, number: int) -> HttpResponseBase:
    """The next step of an order, or its end while it is not paid."""
    one, now = get_object_or_404(Order, pk=number), timezone.now()
    here = reverse("shop_keep_order", kwargs={"number": number})
    if request.method != "POST":
        return redirect(here)
    to, actor = request.POST.get("to", ""), actor_of(request, of_session(request))
    if to not in (State.PAID, State.PREPARING, State.SHIPPED, State.DELIVERED, State.CANCELLED):
        raise Http404("no such step")
    try:
        if to == State.PAID:
            payments.note_by_hand(one, actor=actor, now=now)
        else:
            orders.move(one, State(to), actor=actor, now=now, tracking=request.POST.get("tracking", "").replace("\x00", "").strip())
        messages.success(request, _("Pedido %(order)s: %(state)s") % {"order": one.name, "state": moves.WORDS[State(to)]})
    except (orders.OrderRefused, stock.SoldOut) as refused:
        messages.error(request, str(refused))
    return pages.SeeOther(here)


@keeps(ShopAct.REFUND)
def refund(request: HttpRequest, number: int) -> HttpResponseBase:
    """Pay it back."""
    one = get_object_or_404(Order, pk=number)
    here = reverse("shop_keep_order", kwargs={"number": number})
    if request.method != "POST":
        return redirect(here)
    try:
        done = payments.refund(one, actor=actor_of(request, of_session(request)), now=timezone.now())
        messages.success(request, _("Devuelto.") if done else _("Anotado como devuelto: envía tú el dinero, que entró por transferencia."))
    except orders.OrderRefused as refused:
        messages.error(request, str(refused))
    except Away as away:
        messages.error(request, _("El proveedor no lo devolvió (%(why)s): no cambió nada, prueba otra vez") % {"why": away})
    return pages.SeeOther(here)


@keeps(ShopAct.LOOK)
def products(request: HttpRequest) -> HttpResponseBase:
    """What is sold, with its stock; the scarce first."""
    language, caller = pages.language(), of_session(request)
    rows = list(Product.objects.select_related("tax").annotate(shots=Count("pictures")).order_by("stock", "slug")[:500])
    waiting = waits.counts()
    out = sum(1 for one in rows if one.shown and one.stock <= 0)
    context = {
        "sentence": ngettext("%(count)s producto agotado", "%(count)s productos agotados", out)
        % {"count": formats.number(out, 0, language)}
        if out
        else _("Hay de todo en almacén"),
        "products": [
            {
                **words.product(one, language),
                "pk": one.pk,
                "left": one.stock,
                "shown": one.shown,
                "pictures": one.shots,
                "waiting": waiting.get(one.pk, 0),
            }
            for one in rows
        ],
        "may_fulfil": _may(caller, ShopAct.FULFIL),
        "may_list": _may(caller, ShopAct.STOCK_LIST),
        "keeping": "products",
    }
    return pages.show(request, "shop/staff/products.html", context)


@keeps(ShopAct.FULFIL)
def book_in(request: HttpRequest, number: int) -> HttpResponseBase:
    """Goods that arrived, or a count that was wrong: more or fewer."""
    one, now = get_object_or_404(Product, pk=number), timezone.now()
    if request.method != "POST":
        return redirect("shop_keep_products")
    text = request.POST.get("change", "").strip()
    by = whole(text.lstrip("+-"), 6)
    if not by:
        messages.error(request, _("«%(text)s» no es un cambio de almacén: escribe +5 o -2") % {"text": text[:20]})
        return pages.SeeOther(reverse("shop_keep_products"))
    by = -by if text.startswith("-") else by
    actor = actor_of(request, of_session(request))
    if stock.book(one, by, actor=actor, now=now):
        messages.success(request, _("%(name)s: ahora hay %(left)s") % {"name": one.name(pages.language()), "left": one.stock + by})
    else:
        messages.error(request, _("%(name)s: hay %(left)s y no se pueden quitar %(by)s") % {"name": one.slug, "left": one.stock, "by": -by})
    return pages.SeeOther(reverse("shop_keep_products"))


#: Those that are not over.
_OPEN = (State.PENDING, State.PAID, State.PREPARING, State.SHIPPED)


def _may(caller: Caller, act: ShopAct) -> bool:
    seller = pages.seller()
    return seller is not None and access.may(caller, act, seller.organisation_id)


def _listed(one: Order, language: str) -> dict[str, Any]:
    step = moves.NEXT.get(State(one.state))
    return {
        **words.order(one, language),
        "pk": one.pk,
        "at": one.created_at,
        "buyer": one.address.get("name", "") or one.email,
        "next": {"to": step[0].value, "word": step[1]} if step is not None else None,
    }

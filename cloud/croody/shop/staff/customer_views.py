"""`/tienda/gestion/clientes/`: who bought, and what. The address of a customer's page names an order of theirs, and no e-mail."""

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.shop import pages, words
from croody.shop.access import ShopAct
from croody.shop.models import Order
from croody.shop.staff import customers
from croody.shop.staff.views import keeps
from croody.web import formats
from croody.web.address import page_number, query_of, typed

A_PAGE = customers.A_PAGE


@keeps(ShopAct.LOOK)
def listed(request: HttpRequest) -> HttpResponseBase:
    """Customers, who ordered last first; searched in the address."""
    language, page = pages.language(), page_number(request.GET.get("pagina", ""))
    asked = typed(request.GET, "q")
    found, more = customers.find(asked, page)
    context = {
        "asked": asked,
        "customers": [_shown(one, language) for one in found],
        "keeping": "customers",
        "before": query_of({"q": asked, "pagina": page - 1}) if page > 1 else "",
        "after": query_of({"q": asked, "pagina": page + 1}) if more else "",
    }
    return pages.show(request, "shop/staff/customers.html", context)


@keeps(ShopAct.LOOK)
def one(request: HttpRequest, number: int) -> HttpResponseBase:
    """Whose order this is: all their orders, and what they came to."""
    order = get_object_or_404(Order.objects.select_related("user"), pk=number)
    customer = customers.of(order)
    if customer is None:
        raise Http404("they were forgotten")
    language, page = pages.language(), page_number(request.GET.get("pagina", ""))
    first = (page - 1) * A_PAGE
    rows = list(customers.orders_of(order).prefetch_related("lines")[first : first + A_PAGE + 1])
    context = {
        "customer": _shown(customer, language),
        "count": ngettext("%(count)s pedido", "%(count)s pedidos", customer.orders)
        % {"count": formats.number(customer.orders, 0, language)},
        "orders": [{**words.order(row, language), "pk": row.pk, "at": row.created_at, "email": row.email} for row in rows[:A_PAGE]],
        "keeping": "customers",
        "before": query_of({"pagina": page - 1}) if page > 1 else "",
        "after": query_of({"pagina": page + 1}) if len(rows) > A_PAGE else "",
    }
    return pages.show(request, "shop/staff/customer.html", context)


def _shown(one: customers.Customer, language: str) -> dict[str, Any]:
    return {
        "pk": one.newest.pk,
        "name": one.name,
        "email": one.newest.email,
        "account": one.account or _("invitado"),
        "orders": formats.number(one.orders, 0, language),
        "last_at": one.last_at,
        "bought": " + ".join(money.text(language) for money in one.bought) or "—",
    }

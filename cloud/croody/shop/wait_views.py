"""The form on a product that is sold out, and the page that its mail leads to."""

from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from croody.accounts import throttle
from croody.shop import pages, views, waits
from croody.shop.models import Product
from croody.web.visitor_form import Visitor

#: Forms that one network may send in an hour, and mails that strangers may cause to one address in a day.
MOST: Final = 10
MOST_MAILS: Final = 5


@pages.public
def ask(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Somebody wants to know once it is there again."""
    one = get_object_or_404(Product.objects.select_related("tax"), slug=slug, shown=True)
    back = reverse("shop_product", kwargs={"slug": slug})
    if request.method != "POST" or one.stock > 0:
        return redirect(back)
    form = Visitor(request.POST)
    if not form.is_valid():
        return views.page_of(request, one, form, status=422)
    if not form.is_trapped:
        if not throttle.may_try("wait", throttle.address_of(request), MOST, timedelta(hours=1)):
            return views.page_of(request, one, form, status=429)
        email = form.cleaned_data["email"]
        if throttle.may_try("wait_mail", email.lower(), MOST_MAILS, timedelta(days=1)):
            link = request.build_absolute_uri(reverse("shop_wait_confirm", kwargs={"token": "-"}))[: -len("-/")]
            waits.ask(one, email, pages.language(), link, now=timezone.now())
    return pages.SeeOther(f"{back}?pedido=1#wait")


@pages.public
def confirm(request: HttpRequest, token: str) -> HttpResponseBase:
    """The link of the mail: a page with a button, so that a preview of it confirms nothing; once confirmed, one to take it back."""
    wait = waits.waiting(token)
    if wait is not None and request.method == "POST":
        try:
            if request.POST.get("do") == "forget":
                waits.forget(wait)
                wait = None
            else:
                waits.confirm(wait, now=timezone.now())
                wait.refresh_from_db()
        except waits.Full as full:
            messages.error(request, str(full))
    forgot = wait is None and request.method == "POST"
    name = wait.product.name(pages.language()) if wait is not None else ""
    context = {"wait": wait, "name": name, "done": wait is not None and wait.confirmed_at is not None, "forgot": forgot}
    return pages.show(request, "shop/wait.html", context, status=200 if wait is not None or forgot else 410)

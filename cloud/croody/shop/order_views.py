"""The page of one order, its invoice, and a person's orders. Who has the link is let in: it holds a secret."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from croody.accounts import mailer
from croody.accounts import organisations as making
from croody.accounts.caller import actor_of, of_session
from croody.accounts.models import Organisation
from croody.accounts.rules import open_to
from croody.audit.actor import Actor
from croody.console.add_robot import fresh_claim
from croody.fleet import claim_lines
from croody.fleet.access import Action, organisations
from croody.fleet.services import BadRobot
from croody.shop import boards, countries, mail_texts, orders, pages, words
from croody.shop.models import Order, Payment, SoldBoard
from croody.shop.moves import State
from croody.shop.payments import services as payments
from croody.shop.payments.provider import Away
from croody.web import moments
from croody.web.address import whole

#: As many of a person's orders are listed.
MOST = 200


@pages.public
def order(request: HttpRequest, name: str, secret: str) -> HttpResponseBase:
    """How it stands and what it costs; the ways on: pay, cancel, print."""
    one = _found(name, secret)
    language = pages.language()
    context = {"order": words.order(one, language), **_about(one, language), **_boards(request, one), "secret": secret}
    return pages.show(request, "shop/order.html", context)


@pages.public
def pay(request: HttpRequest, name: str, secret: str) -> HttpResponseBase:
    """Once more to the provider."""
    one = _found(name, secret)
    if request.method != "POST" or one.state != State.PENDING:
        return redirect(words.link(one))
    return on_to_payment(request, one)


def on_to_payment(request: HttpRequest, one: Order) -> HttpResponseBase:
    """To where it is paid; to its page, which says why, where that is not possible now."""
    home = words.link(one)
    try:
        return pages.go_to(request, payments.begin(one, now=timezone.now()), home)
    except orders.OrderRefused as refused:
        messages.error(request, str(refused))
    except Away:
        messages.error(request, _("El banco no responde ahora. Tu pedido está guardado: prueba otra vez en un minuto."))
    return pages.SeeOther(home)


@pages.public
def cancel(request: HttpRequest, name: str, secret: str) -> HttpResponseBase:
    """The buyer wants it no longer, and has not paid."""
    one = _found(name, secret)
    if request.method == "POST" and one.state == State.PENDING:
        try:
            orders.move(one, State.CANCELLED, actor=actor_of(request, of_session(request)), now=timezone.now(), note="buyer")
        except orders.OrderRefused as refused:
            messages.error(request, str(refused))
        return pages.SeeOther(words.link(one))
    return redirect(words.link(one))


@pages.public
def invoice(request: HttpRequest, name: str, secret: str) -> HttpResponseBase:
    """To print, or to keep as PDF: the browser does it."""
    one = _found(name, secret)
    if one.paid_at is None:
        messages.info(request, _("La factura sale cuando el pedido está pagado."))
        return redirect(words.link(one))
    language = pages.language()
    context = {"order": words.order(one, language), **_about(one, language), "seller": pages.seller()}
    return pages.show(request, "shop/invoice.html", context)


@never_cache
@login_required
@open_to("people")
def take_in(request: HttpRequest, name: str, secret: str) -> HttpResponseBase:
    """A board of this order becomes a robot of an organisation of theirs; its claim is shown, and mailed as a QR code."""
    one = _found(name, secret)
    if request.method != "POST":
        return redirect(words.link(one))
    actor, now = actor_of(request, of_session(request)), timezone.now()
    line = whole(request.POST.get("line", ""))
    try:
        with transaction.atomic():
            organisation = _organisation(request, one, actor, now)
            if organisation is None or line is None:
                messages.error(request, _("Elige una organización en la que puedas agregar robots"))
                return pages.SeeOther(words.link(one))
            robot = boards.take_in(one, line, organisation, actor=actor, now=now)
    except (orders.OrderRefused, BadRobot) as refused:
        messages.error(request, str(refused))
        return pages.SeeOther(words.link(one))
    answer = pages.SeeOther(reverse("console_join_robot", kwargs={"robot_id": robot.robot_id}))
    if not fresh_claim.possible(request):
        return answer
    claim = fresh_claim.line_for(request, robot, actor)
    text = mail_texts.board(robot.robot_id, claim, fresh_claim.MINUTES, request.build_absolute_uri(answer.url))
    mailer.send(one.email, text.subject, text.body, picture=claim_lines.png(claim))
    return fresh_claim.show(answer, claim)


def _organisation(request: HttpRequest, one: Order, actor: Actor, now: datetime) -> Organisation | None:
    """The one that they chose; a new one of theirs, where they bought a board and have none that it could join."""
    theirs = organisations(of_session(request), Action.CONFIGURE)
    name = " ".join(request.POST.get("new", "").replace("\x00", "").split())[:120]
    assert isinstance(request.user, User)
    if name and boards.waiting(one) and not theirs.exists():
        return making.make(name, request.user, now=now, actor=actor)
    return theirs.filter(slug=request.POST.get("organisation", "")[:50]).first()


@never_cache
@login_required
@open_to("people")
def mine(request: HttpRequest) -> HttpResponse:
    """`/cuenta/pedidos/`: what somebody bought while signed in."""
    language = pages.language()
    assert isinstance(request.user, User)
    rows = Order.objects.filter(user=request.user).prefetch_related("lines").order_by("-pk")[:MOST]
    listed = [{**words.order(one, language), "at": one.created_at} for one in rows]
    return pages.show(request, "shop/mine.html", {"orders": listed, "section": "profile"})


def _found(name: str, secret: str) -> Order:
    one = orders.found(name, secret)
    if one is None:
        raise Http404("no order of this link")
    return one


def _about(one: Order, language: str) -> dict[str, Any]:
    state, seller = State(one.state), pages.seller()
    transfer = seller.transfer if seller is not None and one.provider == "manual" and state is State.PENDING else ""
    return {
        "sentence": str(_SENTENCES[state]) % {"order": one.name},
        "headline": moments.filled(str(_SENTENCES[state]), {"order": words.kept_whole(one.name)}),
        "tried": _tried(one) if state is State.PENDING else "",
        "at": one.created_at,
        "paid_at": one.paid_at,
        "until": one.reserved_until,
        "email": one.email,
        "to": one.address,
        "country": countries.COUNTRIES.get(one.address.get("country", ""), ""),
        "billed": one.invoice,
        "notes": one.notes,
        "how": one.delivery,
        "tracking": one.tracking,
        "transfer": transfer,
        "payable": state is State.PENDING and one.provider != "manual",
        "waits": state is State.PENDING,
        "history": [{"word": words.step(event), "at": event.at} for event in one.events.order_by("pk")],
    }


def _boards(request: HttpRequest, one: Order) -> dict[str, Any]:
    """Boards of it that may become robots, and those that did."""
    caller = of_session(request)
    joined = SoldBoard.objects.filter(line__order=one).order_by("pk").values_list("robot_id", flat=True)
    return {
        "waiting": [{"line": each.line.pk, "name": each.line.name, "left": each.left} for each in boards.waiting(one)],
        "joined": list(joined),
        "organisations": list(organisations(caller, Action.CONFIGURE).order_by("name")[:50]) if caller.kind == "person" else [],
    }


def _tried(one: Order) -> str | Promise:
    """What became of the last try to pay, where it has to be tried again."""
    last = one.payments.order_by("-pk").first()
    return _TRIED.get(last.status, "") if last is not None else ""


_TRIED: Final[Mapping[str, str | Promise]] = {
    Payment.Status.DECLINED: gettext_lazy(
        "El banco rechazó el pago y no se cobró nada. Prueba otra vez; si vuelve a pasar, pregunta a tu banco."
    ),
    Payment.Status.EXPIRED: gettext_lazy("El pago no llegó a su fin y no se cobró nada. Empiézalo otra vez cuando quieras."),
}
_SENTENCES: Final[Mapping[State, str | Promise]] = {
    State.PENDING: gettext_lazy("Pedido %(order)s: falta el pago"),
    State.PAID: gettext_lazy("Pedido %(order)s: pagado, lo preparamos"),
    State.PREPARING: gettext_lazy("Pedido %(order)s: en preparación"),
    State.SHIPPED: gettext_lazy("Pedido %(order)s: va en camino"),
    State.DELIVERED: gettext_lazy("Pedido %(order)s: entregado"),
    State.CANCELLED: gettext_lazy("Pedido %(order)s: cancelado"),
    State.REFUNDED: gettext_lazy("Pedido %(order)s: devuelto"),
}

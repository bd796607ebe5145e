"""Where providers tell of payments, and the sandbox's own bank, which drives every outcome."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from croody.shop import pages, words
from croody.shop.models import Payment
from croody.shop.payments import sandbox
from croody.shop.payments import services as payments
from croody.shop.payments.provider import Away, BadNotice
from croody.web.body import read_body
from croody.web.refusals import Denied

Status = Payment.Status
#: A notice is short.
_MOST_BYTES: Final = 64 * 1024


@csrf_exempt
@pages.public
def notice(request: HttpRequest, provider: str) -> HttpResponseBase:
    """A provider's notice. 200 says that it is booked, also the second time; anything else, that it is not."""
    if request.method != "POST":
        return JsonResponse({"detail": "notices come by POST"}, status=404)
    try:
        payments.take(provider, read_body(request, _MOST_BYTES), request.headers, now=timezone.now())
    except BadNotice as refused:
        return JsonResponse({"detail": str(refused)}, status=400)
    except Away as away:
        return JsonResponse({"detail": str(away)}, status=503)
    except Denied as refused:
        return JsonResponse({"detail": refused.detail}, status=refused.status)
    return JsonResponse({"booked": True})


@pages.public
def bank(request: HttpRequest, reference: str) -> HttpResponseBase:
    """The sandbox's page: the buyer chooses what the bank does."""
    payment = Payment.objects.select_related("order").filter(reference=reference[:64], provider=sandbox.Sandbox.name).first()
    seller = pages.seller()
    if payment is None or seller is None or not seller.sandbox:
        raise Http404("no payment of the sandbox")
    chosen = request.POST.get("outcome", "") if request.method == "POST" else ""
    if chosen == "challenge":
        _tell(payment, Status.CHALLENGED, timezone.now())
        return pages.show(request, "shop/bank.html", _context(payment, challenged=True))
    if chosen in OUTCOMES:
        OUTCOMES[chosen][1](payment, timezone.now())
        if chosen == "forged":
            messages.info(request, str(_("El aviso falso no se creyó, por su firma: el pedido sigue como estaba.")))
        return pages.SeeOther(words.link(payment.order))
    return pages.show(request, "shop/bank.html", _context(payment, challenged=False))


def _context(payment: Payment, *, challenged: bool) -> dict[str, object]:
    order = payment.order
    shown = ("success", "decline") if challenged else tuple(OUTCOMES)
    return {
        "total": order.total.text(pages.language()),
        "name": order.name,
        "challenged": challenged,
        "outcomes": [(key, OUTCOMES[key][0]) for key in shown],
        "back": words.link(order),
        "begun": payment.status in (Status.BEGUN, Status.CHALLENGED),
    }


def _tell(payment: Payment, status: Payment.Status, now: datetime, notice_id: str = "") -> None:
    """One notice, signed, as it comes over the wire."""
    body = sandbox.notice(payment, status, notice_id or secrets.token_hex(8))
    payments.take(sandbox.Sandbox.name, body, {sandbox.SIGNATURE: sandbox.sign(body)}, now=now)


def _succeed(payment: Payment, now: datetime) -> None:
    _tell(payment, Status.SUCCEEDED, now)


def _decline(payment: Payment, now: datetime) -> None:
    _tell(payment, Status.DECLINED, now)


def _time_out(payment: Payment, now: datetime) -> None:
    _tell(payment, Status.EXPIRED, now)


def _twice(payment: Payment, now: datetime) -> None:
    same = secrets.token_hex(8)
    _tell(payment, Status.SUCCEEDED, now, same)
    _tell(payment, Status.SUCCEEDED, now, same)
    _tell(payment, Status.SUCCEEDED, now)


def _out_of_order(payment: Payment, now: datetime) -> None:
    _tell(payment, Status.SUCCEEDED, now)
    _tell(payment, Status.CHALLENGED, now)
    _tell(payment, Status.DECLINED, now)


def _forged(payment: Payment, now: datetime) -> None:
    body = sandbox.notice(payment, Status.SUCCEEDED, secrets.token_hex(8))
    try:
        payments.take(sandbox.Sandbox.name, body, {sandbox.SIGNATURE: "0" * 64}, now=now)
    except BadNotice:
        return


#: What the bank can do: its button, and what it does.
OUTCOMES: Final[Mapping[str, tuple[str | Promise, Callable[[Payment, datetime], None]]]] = {
    "success": (_("Pagar"), _succeed),
    "decline": (_("Rechazar el pago"), _decline),
    "timeout": (_("Dejar que caduque"), _time_out),
    "twice": (_("Pagar y avisar tres veces"), _twice),
    "disorder": (_("Pagar y avisar en desorden"), _out_of_order),
    "forged": (_("Mandar un aviso falso"), _forged),
}

"""Payment by card on Stripe's own page, by its own library, an extra (`requirements/extra-stripe.txt`). Off without its two keys.

No card number comes near us: the buyer goes to Stripe, and Stripe tells us by notices that it signs.
"""

from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from croody.shop import orders
from croody.shop.models import Payment
from croody.shop.payments.provider import Away, BadNotice, Notice

if TYPE_CHECKING:
    import stripe

Status = Payment.Status
#: Its goods are kept for half an hour, and a session has at least as much to go when it is begun, also at the last minute.
_LIFE: Final = timedelta(minutes=61)
_PATIENCE_S: Final = 10.0
#: What a session's event says of its payment, where that does not depend on how it is paid.
_SAID: Final[Mapping[str, Payment.Status]] = {
    "checkout.session.async_payment_succeeded": Status.SUCCEEDED,
    "checkout.session.async_payment_failed": Status.DECLINED,
    "checkout.session.expired": Status.EXPIRED,
}
_COMPLETED: Final = "checkout.session.completed"


def configured() -> bool:
    """Whether this site has the library and both keys."""
    return bool(settings.ENV.stripe_key and settings.ENV.stripe_webhook_secret) and find_spec("stripe") is not None


class Stripe:
    """One session of Stripe Checkout a payment; asked for twice, it is the same one."""

    name = "stripe"

    def begin(self, payment: Payment) -> str:
        """The address of Stripe's page."""
        import stripe

        order = payment.order
        back = f"{settings.ENV.public_url.rstrip('/')}/{order.language}/tienda/pedidos/{order.name}/{orders.secret_of(order)}/"
        item: Any = {
            "quantity": 1,
            "price_data": {"currency": payment.currency.lower(), "unit_amount": payment.amount_minor, "product_data": {"name": order.name}},
        }
        try:
            session = _client().v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": payment.reference,
                    "customer_email": order.email,
                    "line_items": [item],
                    "locale": "en" if order.language == "en" else "es",
                    "success_url": back,
                    "cancel_url": back,
                    # By the payment's own time: asked for again, it is the same request, and Stripe answers with the same session.
                    "expires_at": int((payment.at + _LIFE).timestamp()),
                },
                {"idempotency_key": f"begin-{payment.reference}"},
            )
        except stripe.StripeError as error:
            raise Away(_told(error)) from error
        Payment.objects.filter(pk=payment.pk).update(theirs=session.id)
        return str(session.url or "")

    def read(self, body: bytes, headers: Mapping[str, str]) -> Notice | None:
        """A notice that Stripe signed within the last five minutes, about a session of ours."""
        import stripe

        try:
            event = stripe.Webhook.construct_event(body, headers.get("Stripe-Signature", ""), settings.ENV.stripe_webhook_secret)
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise BadNotice(f"Stripe-Signature: not Stripe's, or too old: {_told(error)}") from error
        kind, session = str(event.type), event.data.object
        status = _SAID.get(kind)
        if kind == _COMPLETED:
            status = Status.SUCCEEDED if session["payment_status"] == "paid" else Status.CHALLENGED
        if status is None:
            return None
        try:
            reference, amount, currency = session["client_reference_id"], session["amount_total"], session["currency"]
        except KeyError as error:
            raise BadNotice(f"body: a session has {error}") from error
        return Notice(str(event.id)[:80], str(reference)[:64], status, int(amount), str(currency).upper())

    def refund(self, payment: Payment) -> bool:
        """Pay it back, once however often it is asked for."""
        import stripe

        try:
            client = _client()
            intent = client.v1.checkout.sessions.retrieve(payment.theirs).payment_intent
            client.v1.refunds.create({"payment_intent": str(intent)}, {"idempotency_key": f"refund-{payment.reference}"})
        except stripe.StripeError as error:
            raise Away(_told(error)) from error
        return True


def _client() -> "stripe.StripeClient":
    import stripe

    base: Any = {"base_addresses": {"api": settings.ENV.stripe_url}} if settings.ENV.stripe_url else {}
    http = stripe.RequestsClient(timeout=_PATIENCE_S)
    return stripe.StripeClient(settings.ENV.stripe_key, http_client=http, max_network_retries=2, **base)


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

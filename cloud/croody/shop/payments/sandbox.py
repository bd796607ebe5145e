"""A bank that moves no money: for trying the shop, and for the tests. Its notices are signed, in any order, more than once."""

import json
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from croody.shop.models import Payment
from croody.shop.payments.provider import BadNotice, Notice

SIGNATURE = "X-Sandbox-Signature"


class Sandbox:
    """The bank's page is one of ours: `payments.bank`."""

    name = "sandbox"

    def begin(self, payment: Payment) -> str:
        """Where the buyer chooses what happens."""
        return reverse("shop_bank", kwargs={"reference": payment.reference})

    def read(self, body: bytes, headers: Mapping[str, str]) -> Notice:
        """A notice with the right signature."""
        if not constant_time_compare(sign(body), headers.get(SIGNATURE, "")):
            raise BadNotice(f"{SIGNATURE}: not the sandbox's: sign the body with its key")
        try:
            said: Any = json.loads(body)
            return Notice(
                str(said["id"])[:80],
                str(said["reference"])[:64],
                Payment.Status(said["status"]),
                int(said["amount"]),
                str(said["currency"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BadNotice("body: a notice has id, reference, status, amount and currency") from error

    def refund(self, payment: Payment) -> bool:
        """It is paid back at once."""
        return True


def sign(body: bytes) -> str:
    """The signature of a notice, by a key that is made of the site's."""
    return salted_hmac("croody.shop.sandbox", body, algorithm="sha256").hexdigest()


def notice(payment: Payment, status: Payment.Status, notice_id: str, *, amount_minor: int | None = None) -> bytes:
    """The body of a notice as the bank sends it."""
    amount = payment.amount_minor if amount_minor is None else amount_minor
    said = {"id": notice_id, "reference": payment.reference, "status": status.value, "amount": amount, "currency": payment.currency}
    return json.dumps(said).encode()

"""Payment by transfer: the seller tells how, sees the money at the bank, and notes it by hand."""

from collections.abc import Mapping

from croody.shop.models import Payment
from croody.shop.payments.provider import BadNotice, Notice


class Manual:
    """Nothing happens by itself."""

    name = "manual"

    def begin(self, payment: Payment) -> str:
        """The order's own page says how to pay."""
        return ""

    def read(self, body: bytes, headers: Mapping[str, str]) -> Notice:
        """A bank sends no notices here."""
        raise BadNotice("manual: a transfer has no notices: note the payment on the order's page")

    def refund(self, payment: Payment) -> bool:
        """The seller sends the money back."""
        return False

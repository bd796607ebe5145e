"""What a provider of payments has to do, and what it may say. Knows none of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from croody.shop.models import Payment


class Away(RuntimeError):
    """The provider did not answer, or refused: nothing is known to have happened, and the same may be asked again."""


class BadNotice(ValueError):
    """A notice that is not the provider's, or that nobody can read. Nothing of it is believed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a provider said of a payment. `notice_id`: the same one again is the same notice."""

    notice_id: str
    reference: str
    status: Payment.Status
    amount_minor: int
    currency: str


class Provider(Protocol):
    """One way to pay."""

    name: str

    def begin(self, payment: Payment) -> str:
        """The address where the buyer goes on; empty: there is nothing to do here (a transfer).

        Raises:
            Away: it does not answer.
        """

    def read(self, body: bytes, headers: Mapping[str, str]) -> Notice | None:
        """A notice, once it is proved to be the provider's; None where it is about nothing that we book.

        Raises:
            BadNotice: it is not, or it is no notice.
        """

    def refund(self, payment: Payment) -> bool:
        """Pay back. False: a person has to do it.

        Raises:
            Away: it does not answer.
        """

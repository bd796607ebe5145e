"""Amounts of money: whole minor units and a currency, never a float. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, Self

from croody.web.formats import NBSP

#: ISO 4217 code -> digits behind the point. What is not here the shop does not sell in.
DECIMALS: Final[Mapping[str, int]] = {
    "EUR": 2, "USD": 2, "COP": 2, "MXN": 2, "PEN": 2, "ARS": 2, "UYU": 2, "BRL": 2, "GBP": 2, "CLP": 0, "PYG": 0, "JPY": 0,
}  # fmt: skip
_SIGNS: Final[Mapping[str, str]] = {"EUR": "€", "USD": "US$", "GBP": "£"}
#: More than this nothing costs: what fits the database's integer with room to add.
MOST: Final = 10**12


class OtherCurrency(ValueError):
    """Two amounts that cannot be added. A mistake in the code: a cart has one currency."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """`minor` cents (or what the currency has), of `currency`."""

    currency: str
    minor: int

    def __add__(self, other: Self) -> Self:
        if other.currency != self.currency:
            raise OtherCurrency(f"{self.currency} and {other.currency}: amounts of one currency alone can be added")
        return type(self)(self.currency, self.minor + other.minor)

    def __mul__(self, count: int) -> Self:
        return type(self)(self.currency, self.minor * count)

    @property
    def decimal(self) -> Decimal:
        """`Money("EUR", 4990)` -> `Decimal("49.90")`."""
        return Decimal(self.minor).scaleb(-DECIMALS[self.currency])

    def text(self, language: str) -> str:
        """`1 234,50 €` in Spanish, `€1,234.50` in English."""
        sign = _SIGNS.get(self.currency, self.currency)
        figures = f"{abs(self.decimal):,.{DECIMALS[self.currency]}f}"
        minus = "\u2212" if self.minor < 0 else ""
        if language == "es":
            return minus + figures.replace(",", NBSP).replace(".", ",") + NBSP + sign
        gap = "" if self.currency in _SIGNS else NBSP
        return minus + sign + gap + figures


def read(text: str, currency: str) -> Money | None:
    """What a person typed: `49,90`, `49.90`, `1 234,5`. None for what is no amount, or has more digits than the currency."""
    plain = text.strip().replace(NBSP, "").replace(" ", "").replace("\u2019", "")
    whole, mark, part = plain.rpartition("," if plain.rfind(",") > plain.rfind(".") else ".")
    digits = DECIMALS[currency]
    if mark and len(part) == 3 and digits < 3 and "," not in whole + part and "." not in whole:
        # `1.234` and `1,234` are a thousand and more: nobody types three digits of cents.
        plain = whole + part
    elif mark:
        plain = whole.replace(",", "").replace(".", "") + "." + part
    try:
        amount = Decimal(plain).scaleb(digits)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount != amount.to_integral_value() or abs(amount) > MOST:
        return None
    return Money(currency, int(amount))


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Their sum; nothing of `currency` where there are none."""
    found = Money(currency, 0)
    for one in amounts:
        found = found + one
    return found

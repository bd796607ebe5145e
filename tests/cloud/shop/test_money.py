"""Amounts: read, written, summed and taxed without losing a cent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody.shop import totals
from croody.shop.money import Money, OtherCurrency, read
from croody.shop.totals import Line

CENTS = st.integers(0, 10**9)
LINES = st.lists(st.builds(Line, CENTS, st.integers(1, 50), st.sampled_from([0, 400, 1000, 2100])), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("49,90", 4990), ("49.90", 4990), ("1 234,5", 123450), ("1.234", 123400), ("1,234.56", 123456), ("1.234,56", 123456), ("7", 700)],
)
def test_what_people_type_is_an_amount(typed: str, minor: int):
    assert read(typed, "EUR") == Money("EUR", minor)


@pytest.mark.parametrize("typed", ["", "mucho", "1,2345", "nan", "Infinity", "1e99", "9" * 40, "--1"])
def test_what_is_no_amount_is_none(typed: str):
    assert read(typed, "EUR") is None


def test_an_amount_is_written_by_the_language_and_the_currency():
    assert Money("EUR", 123450).text("es") == "1\u00a0234,50\u00a0€"
    assert Money("EUR", -123450).text("en") == "\u2212€1,234.50"
    assert Money("CLP", 12990).text("es") == "12\u00a0990\u00a0CLP"
    with pytest.raises(OtherCurrency):
        Money("EUR", 1) + Money("COP", 1)


@given(CENTS, st.sampled_from(["EUR", "COP", "CLP"]), st.sampled_from(["es", "en"]))
def test_what_was_written_is_read_again(minor: int, currency: str, language: str):
    figures = "".join(sign for sign in Money(currency, minor).text(language) if sign in "0123456789.,")
    if currency != "CLP" or minor < 1000:
        assert read(figures, currency) == Money(currency, minor)


@given(LINES, CENTS, CENTS)
def test_sums_are_exact(lines: list[Line], discount: int, delivery: int):
    cost = totals.of(lines, discount=discount, delivery=delivery, delivery_tax_bp=2100)
    assert cost.total == cost.goods - cost.discount + cost.delivery >= 0
    assert cost.tax == sum(part for _bp, part in cost.taxes) <= cost.total
    off = totals.spread(cost.discount, [line.gross for line in lines])
    assert sum(off) == cost.discount
    assert all(0 <= less <= line.gross for less, line in zip(off, lines, strict=True))

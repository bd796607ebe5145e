"""What an order costs: goods, discount, delivery, and the tax within. Whole minor units throughout, so every sum is exact. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Taxes and discounts are in hundredths of a percent: 2100 is 21 %.
WHOLE_BP: Final = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity` pieces at `unit` minor units each, with a tax of `tax_bp` within the price."""

    unit: int
    quantity: int
    tax_bp: int

    @property
    def gross(self) -> int:
        """All of them, tax within, before any discount."""
        return self.unit * self.quantity


@dataclass(frozen=True, slots=True)
class Totals:
    """All in minor units. `total` is what is paid; `tax` is within it, and `taxes` says how much of it is of which rate."""

    goods: int
    discount: int
    delivery: int
    total: int
    tax: int
    taxes: tuple[tuple[int, int], ...]


def of(lines: Sequence[Line], *, discount: int = 0, delivery: int = 0, delivery_tax_bp: int = 0) -> Totals:
    """Sum up.

    Args:
        lines: what is bought.
        discount: off the goods, minor units; never more than they cost.
        delivery: its price, tax within.
        delivery_tax_bp: the rate of that.
    """
    goods = sum(line.gross for line in lines)
    off = min(max(discount, 0), goods)
    rates: dict[int, int] = {}
    for line, less in zip(lines, spread(off, [line.gross for line in lines]), strict=True):
        rates[line.tax_bp] = rates.get(line.tax_bp, 0) + line.gross - less
    rates[delivery_tax_bp] = rates.get(delivery_tax_bp, 0) + delivery
    taxes = tuple((bp, within(gross, bp)) for bp, gross in sorted(rates.items()) if bp and gross)
    return Totals(goods, off, delivery, goods - off + delivery, sum(tax for _bp, tax in taxes), taxes)


def within(gross: int, tax_bp: int) -> int:
    """The tax in a price that has it within, half up."""
    return (2 * gross * tax_bp + WHOLE_BP + tax_bp) // (2 * (WHOLE_BP + tax_bp))


def share(whole: int, part_bp: int) -> int:
    """So many hundredths of a percent of it, half up."""
    return (2 * whole * part_bp + WHOLE_BP) // (2 * WHOLE_BP)


def spread(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` in parts that are as their weights and add up to it exactly; what is left of a division goes to the largest remainders."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda index: (-(amount * weights[index] % whole), index))
    for index in by_rest[: amount - sum(parts)]:
        parts[index] += 1
    return parts

"""One line of the table, and how rounds become medians. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

#: What a contender is called when it is ours.
OURS: Final = "croody"
Contenders = Mapping[str, Callable[[], float]]


@dataclass(frozen=True, slots=True)
class Row:
    """`values`: contender -> every round's figure in `unit`."""

    what: str
    unit: str
    values: Mapping[str, Sequence[float]]

    def of(self, name: str) -> float:
        """The median of a contender's rounds."""
        return median(self.values[name])


def play(what: str, unit: str, contenders: Contenders, rounds: int) -> Row:
    """Measure the contenders by turns, `rounds` times each."""
    values: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        # The order turns over, so that nobody is always the one that comes first.
        names = list(contenders) if turn % 2 == 0 else list(contenders)[::-1]
        for name in names:
            values[name].append(contenders[name]())
    return Row(what, unit, values)


def line(row: Row) -> str:
    """The row in Markdown: what, ours, and every peer with our share of it."""
    ours = row.of(OURS)
    peers = "; ".join(f"{name} {_number(row.of(name))} (x {ours / row.of(name):.2f})" for name in row.values if name != OURS)
    spread = f"{_number(min(row.values[OURS]))} to {_number(max(row.values[OURS]))}"
    return f"| {row.what} | {_number(ours)} {row.unit} | {spread} | {peers or '-'} |"


def head() -> str:
    """The heading of the table."""
    return "| what | Croody | rounds | peers (Croody is so many times as much) |\n| --- | --- | --- | --- |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

"""One line of the table: figures of every contender, their ratio, a goal and whether it is met. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

#: What a contender is called when it is ours.
OURS: Final = "croody"
Figures = Mapping[str, float]
Contenders = Mapping[str, Callable[[], Figures]]


@dataclass(frozen=True, slots=True)
class Goal:
    """Ours must be at most, or at least, `limit`: times the figure of the contender `of`, where one is named."""

    limit: float
    most: bool = True
    of: str = ""

    def met(self, ours: float, others: Figures) -> bool | None:
        """Say whether it is met; None when the peer did not run."""
        if self.of and self.of not in others:
            return None
        limit = self.limit * others[self.of] if self.of else self.limit
        return ours <= limit if self.most else ours >= limit

    def text(self, unit: str) -> str:
        """As the table shows it."""
        sign = "at most" if self.most else "at least"
        return f"{sign} {self.limit:g} x {self.of}" if self.of else f"{sign} {number(self.limit)} {unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Row:
    """`values`: contender -> the figure of every round, in `unit`."""

    what: str
    unit: str
    values: Mapping[str, Sequence[float]]
    goal: Goal | None = None

    def of(self, name: str) -> float:
        """The median of a contender's rounds."""
        return median(self.values[name])

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one, or where its peer did not run."""
        others = {name: self.of(name) for name in self.values if name != OURS}
        return self.goal.met(self.of(OURS), others) if self.goal is not None else None


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence under the table: what was left out and why, or what a figure does not say."""

    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`rounds`: contender -> its figures, a round each."""

    rounds: Mapping[str, Sequence[Figures]]

    def row(self, what: str, figure: str, unit: str, goal: Goal | None = None) -> Row:
        """One figure of all contenders that have it."""
        values = {name: [one[figure] for one in found] for name, found in self.rounds.items() if found and figure in found[0]}
        return Row(what, unit, values, goal)


def play(contenders: Contenders, rounds: int) -> Outcome:
    """Measure the contenders by turns, `rounds` times each."""
    found: dict[str, list[Figures]] = {name: [] for name in contenders}
    for turn in range(rounds):
        # The order turns over, so that nobody is always the one that comes first.
        names = list(contenders) if turn % 2 == 0 else list(contenders)[::-1]
        for name in names:
            found[name].append(contenders[name]())
    return Outcome(found)


def number(value: float) -> str:
    """Three digits are more than a shared machine repeats."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

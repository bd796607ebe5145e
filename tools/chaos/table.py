"""The table that the matrix prints. Knows rows only."""

from collections.abc import Sequence

from tools.chaos.matrix import Row

_HEAD = ("fault", "rounds", "published", "stored", "dead", "dropped", "lost", "doubled", "recovery s")
_WIDTHS = (22, 6, 9, 8, 6, 8, 6, 7, 10)


def head() -> str:
    """The heading and a rule."""
    return f"{_line(_HEAD)}\n{'-' * len(_line(_HEAD))}"


def line(row: Row) -> str:
    """One fault, with what was wrong below it."""
    if row.skipped is not None:
        return f"{row.fault.ljust(_WIDTHS[0])}  not played: {row.skipped}"
    recovery = "-" if row.recovery_s is None else f"{row.recovery_s:.1f}"
    cells = (row.fault, row.rounds, row.published, row.stored, row.dead, row.dropped, row.lost, row.doubled, recovery)
    return "\n".join([_line(cells), *(f"    ✗ {sentence}" for sentence in row.faults)])


def foot(rows: Sequence[Row]) -> str:
    """What it came to."""
    played = [row for row in rows if row.skipped is None]
    total = sum(row.published for row in played)
    lost, doubled = sum(row.lost for row in played), sum(row.doubled for row in played)
    bad = [row.fault for row in played if not row.good]
    end = f"{len(played)} faults, {total} readings published, {lost} lost, {doubled} doubled"
    return f"{end}; wrong: {', '.join(bad)}" if bad else f"{end}; all is well"


def _line(cells: Sequence[object]) -> str:
    first, *rest = (str(cell) for cell in cells)
    return "  ".join([first.ljust(_WIDTHS[0]), *(cell.rjust(width) for cell, width in zip(rest, _WIDTHS[1:], strict=True))])

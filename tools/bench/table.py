"""The results as Markdown, and their place in a page between two markers. Pure: opens no file."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tools.bench.row import OURS, Note, Row, number

BEGIN: Final = "<!-- results: written by `make bench`; what stands between these two lines is replaced -->"
END: Final = "<!-- end of results -->"
HEAD: Final = "| what | Croody | rounds | peers (Croody is so many times as much) | goal | met |\n| --- | --- | --- | --- | --- | --- |"
_SECTION: Final = re.compile(r"^### `([a-z0-9-]+)`$", re.MULTILINE)


def line(row: Row) -> str:
    """A row: what, ours, its spread, every peer with our share of it, the goal, met or not."""
    ours = row.of(OURS)
    peers = "; ".join(f"{name} {number(row.of(name))}{_ratio(ours, row.of(name))}" for name in row.values if name != OURS)
    spread = f"{number(min(row.values[OURS]))} to {number(max(row.values[OURS]))}" if len(row.values[OURS]) > 1 else "-"
    goal = row.goal.text(row.unit) if row.goal is not None else "-"
    met = {None: "-", True: "yes", False: "**no**"}[row.met]
    return f"| {row.what} | {number(ours)} {row.unit} | {spread} | {peers or '-'} | {goal} | {met} |"


def section(name: str, about: str, items: Iterable[Row | Note]) -> str:
    """Everything about one part: a heading, one line about the run, the table, the notes."""
    items = list(items)
    rows = [line(item) for item in items if isinstance(item, Row)]
    notes = [item.text for item in items if isinstance(item, Note)]
    blocks = [f"### `{name}`", about, *(["\n".join([HEAD, *rows])] if rows else []), *notes]
    return "\n\n".join(blocks) + "\n"


def put(page: str, sections: Mapping[str, str], order: Sequence[str]) -> str:
    """The page with these sections in place of those of the same name; the other ones and all prose stay.

    Raises:
        ValueError: the page lacks a marker.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page has no place for results: it needs a line {BEGIN!r} and below it a line {END!r}")
    before, _, rest = page.partition(BEGIN)
    inside, _, after = rest.partition(END)
    kept = {**_sections(inside), **sections}
    texts = [kept[name].strip() for name in order if name in kept]
    return before + "\n\n".join([BEGIN, *texts, END]) + after


def _sections(text: str) -> dict[str, str]:
    parts = _SECTION.split(text)[1:]
    return {name: f"### `{name}`{body}" for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _ratio(ours: float, theirs: float) -> str:
    return f" (x {ours / theirs:.2f})" if theirs else ""

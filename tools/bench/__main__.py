"""`python -m tools.bench`: measures, prints the table as it fills, and writes it into docs/reference/bench.md."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tools import debian
from tools.bench import machine, table
from tools.bench.parts.catalogue import PARTS
from tools.bench.plan import Plan, quick, whole
from tools.bench.row import Note, Row
from tools.stack import ROOT
from tools.words import Problem, fail, say

PAGE = ROOT / "docs" / "reference" / "bench.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit status says whether every part could be measured, not whether goals are met."""
    options = _parser().parse_args(argv)
    if options.list:
        for name, part in PARTS.items():
            print(f"{name:10} {part.about}")
        return 0
    try:
        names = chosen(options.only)
        _bring()
        with tempfile.TemporaryDirectory(prefix="croody-bench-") as folder:
            # PostgreSQL's account has to pass through it.
            Path(folder).chmod(0o755)
            plan = (quick if options.quick else whole)(Path(folder))
            failed = _measure(names, plan, write=not (options.quick or options.no_write))
    except Problem as problem:
        return fail(problem)
    return 1 if failed else 0


def chosen(text: str) -> list[str]:
    """The names given, all without any.

    Raises:
        Problem: a name that is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()] or list(PARTS)
    for name in names:
        if name not in PARTS:
            raise Problem(f"{name}: no hay tal parte; hay {', '.join(PARTS)}.", f"{name}: no such part; there are {', '.join(PARTS)}.")
    return names


def _bring() -> None:
    """What Croody and its peers run on. A peer that stays away costs only its own figures.

    Raises:
        Problem: Croody itself cannot be measured here.
    """
    debian.bring(debian.missing(debian.BENCH))
    try:
        debian.bring(debian.missing(debian.PEERS))
    except Problem as problem:
        say(f"Sin Node-RED: {problem}", f"Without Node-RED: {problem}")


def _measure(names: Sequence[str], plan: Plan, *, write: bool) -> list[str]:
    """Each part in turn; its results are written at once. Returns the parts that could not be measured."""
    here = machine.look()
    print(here.text(), flush=True)
    if not here.quiet:
        say(
            f"Atención: otros usan {100 * here.busy:.0f} % de los procesadores: estas cifras no valen para guardarlas.",
            f"Attention: others use {100 * here.busy:.0f} % of the processors: do not keep these figures.",
        )
    failed = []
    for name in names:
        began = time.monotonic()
        print(f"\n### `{name}`\n\n{PARTS[name].about}\n\n{table.HEAD}", flush=True)
        items: list[Row | Note] = []
        try:
            for item in PARTS[name].run(plan):
                items.append(item)
                print(table.line(item) if isinstance(item, Row) else f"\n{item.text}", flush=True)
        except Problem as problem:
            failed.append(name)
            fail(problem)
            continue
        took = f"{time.monotonic() - began:.0f} s"
        print(f"\n{took}", flush=True)
        if write:
            about = f"{PARTS[name].about} {here.text()} This part took {took}; {plan.rounds} rounds, of which the median counts."
            section = table.section(name, about, items)
            PAGE.write_text(table.put(PAGE.read_text(encoding="utf-8"), {name: section}, list(PARTS)), encoding="utf-8")
    if write:
        say(f"Resultados en {PAGE.relative_to(ROOT)}.", f"Results are in {PAGE.relative_to(ROOT)}.")
    else:
        say("No se escribió nada.", "Nothing was written.")
    return failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="Measures Croody beside its peers, part by part.")
    parser.add_argument("--only", default=os.environ.get("ONLY", ""), metavar="NAME,...", help="only these parts (ONLY)")
    parser.add_argument("--list", action="store_true", help="say which parts there are, and end")
    parser.add_argument(
        "--quick",
        action="store_true",
        default=bool(os.environ.get("QUICK")),
        help="minutes, small sizes, one round: proves that it works (QUICK=1)",
    )
    parser.add_argument("--no-write", action="store_true", help="print only; docs/reference/bench.md stays as it is")
    return parser


if __name__ == "__main__":
    sys.exit(main())

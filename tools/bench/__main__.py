"""`python -m tools.bench`: prints the table as it fills. ONLY (names with commas), EACH (seconds) and ROUNDS come from the environment."""

import os
import platform
import sys
import tempfile
from pathlib import Path

from tools.bench.row import head, line
from tools.bench.suite import SUITE, Plan
from tools.words import Problem, fail


def main() -> int:
    """Measure and print."""
    try:
        names = _chosen(os.environ.get("ONLY", ""))
        with tempfile.TemporaryDirectory(prefix="croody-bench-") as folder:
            # PostgreSQL's account has to pass through it.
            Path(folder).chmod(0o755)
            plan = Plan(Path(folder), float(os.environ.get("EACH") or 5), int(os.environ.get("ROUNDS") or 3))
            print(
                f"{os.cpu_count()} cores, Python {platform.python_version()}, {plan.seconds:g} s a measurement, medians of {plan.rounds}\n"
            )
            print(head(), flush=True)
            for name in names:
                for row in SUITE[name](plan):
                    print(line(row), flush=True)
    except Problem as problem:
        return fail(problem)
    return 0


def _chosen(text: str) -> list[str]:
    """The names given, all without any.

    Raises:
        Problem: a name that is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()] or list(SUITE)
    for name in names:
        if name not in SUITE:
            raise Problem(f"ONLY={name}: no existe; hay {', '.join(SUITE)}.", f"ONLY={name}: no such part; there are {', '.join(SUITE)}.")
    return names


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tools.chaos`: ROUNDS, FAULTS, BROKER, DB, BRIDGES, SEED and PACE come from the environment. Exit status 1 on any loss."""

import os
import sys
import tempfile
import time
from pathlib import Path

from tools.chaos import matrix, table
from tools.chaos.arena import Arena
from tools.chaos.faults import FAULTS, Fault
from tools.stack import Options, Ports
from tools.words import Problem, fail


def chosen(text: str) -> tuple[Fault, ...]:
    """The faults named with commas between, all for an empty text.

    Raises:
        Problem: a name that is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {fault.name: fault for fault in FAULTS}
    for name in names:
        if name not in known:
            raise Problem(
                f"FAULTS={name}: no existe; hay {', '.join(known)}.", f"FAULTS={name}: no such fault; there are {', '.join(known)}."
            )
    return tuple(known[name] for name in names) or FAULTS


def main() -> int:
    """Play the matrix and print the table."""
    environ = os.environ
    try:
        faults = chosen(environ.get("FAULTS", ""))
        rounds = int(environ.get("ROUNDS") or 1)
        seed = int(environ.get("SEED") or time.time())
        with tempfile.TemporaryDirectory(prefix="croody-chaos-") as folder:
            # PostgreSQL's account has to pass through it.
            Path(folder).chmod(0o755)
            options = _options(Path(folder))
            print(
                f"broker {options.broker}, database {options.database}, bridges {options.bridges}, rounds {rounds}, seed {seed}", flush=True
            )
            with Arena(options, pace=float(environ.get("PACE") or 1)) as arena:
                print(table.head(), flush=True)
                rows = matrix.play(arena, faults, rounds, seed, lambda row: print(table.line(row), flush=True))
            if environ.get("KEEP"):
                os.rename(folder, environ["KEEP"])
                os.mkdir(folder)
    except Problem as problem:
        return fail(problem)
    print(table.foot(rows))
    return 0 if all(row.good for row in rows) else 1


def _options(folder: Path) -> Options:
    wanted = Options.from_environ(folder / "stack", os.environ)
    return Options(
        state=wanted.state,
        ports=Ports.free(),
        database=wanted.database,
        broker=wanted.broker,
        bridges=wanted.bridges,
        robots=0,
        host=False,
        replay=False,
    )


if __name__ == "__main__":
    sys.exit(main())

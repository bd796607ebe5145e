"""`make test`: brings what the tests need and runs them all, in parts; ends with one line that sums them up.

python -m tools.test [--fast] [PART ...]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tools import debian
from tools.stack import ROOT, script, source_path
from tools.words import Problem, fail, say, words

_NOT_SLOW = "not slow and not stack and not chaos and not e2e"


@dataclass(frozen=True, slots=True)
class Part:
    """One run of pytest. `environ` is added to its environment."""

    name: str
    arguments: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict)
    fast: bool = False


PARTS = (
    Part("units", ("tests", "-m", _NOT_SLOW), fast=True),
    # The tests of telemetry and the bridge choose their databases themselves, and ran on both above.
    Part(
        "postgres",
        ("tests/cloud/alarms", "tests/cloud/fleet", "tests/cloud/ids", "tests/cloud/web", "-m", _NOT_SLOW),
        {"CROODY_TEST_DB": "postgres"},
    ),
    Part("slow", ("tests", "-m", "slow and not stack and not chaos and not e2e")),
    Part("stack", ("tests", "-m", "stack or e2e")),
    Part("chaos", ("tests", "-m", "chaos and not stack and not e2e")),
)


@dataclass(slots=True)
class Tally:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, report: Path) -> None:
        """Count a JUnit report; a part that left none counts as one failure."""
        try:
            suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
        except (OSError, ElementTree.ParseError):
            self.failed += 1
            return
        for suite in suites:
            tests, failures, errors, skipped = (int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped"))
            self.failed += failures + errors
            self.skipped += skipped
            self.passed += max(0, tests - failures - errors - skipped)


def main() -> int:
    """Run the parts; the exit status is 0 when every test passed or was skipped for a stated reason."""
    parser = argparse.ArgumentParser(prog="python -m tools.test", description="Runs the tests, in parts.")
    parser.add_argument("--fast", action="store_true", help="only what takes seconds and needs no Debian packages")
    parser.add_argument("part", nargs="*", choices=[*(part.name for part in PARTS), []], help="only these parts")
    arguments = parser.parse_args()
    chosen = [part for part in PARTS if (part.name in arguments.part or not arguments.part) and (part.fast or not arguments.fast)]
    try:
        if not arguments.fast:
            debian.bring(debian.missing())
    except Problem as problem:
        return fail(problem)
    began = time.monotonic()
    tally = Tally()
    ok = [_run(part, tally) for part in chosen]
    say(f"Duración: {time.monotonic() - began:.0f} s", f"Took {time.monotonic() - began:.0f} s")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)
    return 0 if all(ok) and not tally.failed and tally.passed else 1


def _run(part: Part, tally: Tally) -> bool:
    print(f"\n== {words('parte', 'part')} {part.name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="croody-report-") as folder:
        report = Path(folder) / "report.xml"
        command = [script("python"), "-m", "pytest", "-q", "--durations=5", f"--junitxml={report}", *part.arguments]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": source_path(), **part.environ}, stdin=subprocess.DEVNULL, check=False
        )
        # 5: nothing collected; a part may have no tests of its own yet.
        if done.returncode != 5:
            tally.add(report)
        return done.returncode in {0, 5}


if __name__ == "__main__":
    sys.exit(main())

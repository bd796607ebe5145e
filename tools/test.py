"""`make test`: brings what the tests need and runs them all, in parts; ends with one line that sums them up.

python -m tools.test [--fast] [PART ...]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tools import debian
from tools.stack import ROOT, script, source_path
from tools.words import Problem, fail, say, words

_PRINTING = threading.Lock()
#: How many parts run at once. Most of a part is waiting, so two share two cores well.
LANES = 2
_SHORT = "not slow and not stack and not chaos and not e2e and not long"


@dataclass(frozen=True, slots=True)
class Part:
    """One run of pytest. `environ` is added to its environment."""

    name: str
    arguments: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict)
    fast: bool = False


#: In the order in which they begin; what takes longest first.
PARTS = (
    Part("stack", ("tests", "-m", "stack and not e2e and not long")),
    Part("cloud", ("tests/cloud", "-m", _SHORT), fast=True),
    Part("chaos", ("tests", "-m", "chaos and not stack and not e2e and not long")),
    Part("edge", ("tests", "--ignore=tests/cloud", "-m", _SHORT), fast=True),
    Part("pages", ("tests", "-m", "e2e and not long")),
    Part("slow", ("tests", "-m", "slow and not stack and not chaos and not e2e and not long")),
    # The tests of telemetry and the bridge choose their databases themselves, and run on both above.
    Part(
        "postgres",
        (
            "tests/cloud/test_who_may.py",
            *(f"tests/cloud/{room}" for room in ("accounts", "alarms", "fleet", "detection", "web")),
            "-m",
            _SHORT,
        ),
        {"CROODY_TEST_DB": "postgres"},
    ),
)
#: Only by name: what takes minutes of downloading.
LONG = Part("long", ("tests", "-m", "long"))


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
    parts = {part.name: part for part in (*PARTS, LONG)}
    parser = argparse.ArgumentParser(prog="python -m tools.test", description="Runs the tests, in parts.")
    parser.add_argument("--fast", action="store_true", help="only what takes a minute or two and needs no Debian packages")
    parser.add_argument("part", nargs="*", choices=[*parts, []], help="only these parts")
    arguments = parser.parse_args()
    chosen = [parts[name] for name in arguments.part] or [part for part in PARTS if part.fast or not arguments.fast]
    try:
        if not arguments.fast:
            debian.bring(debian.missing())
    except Problem as problem:
        return fail(problem)
    began = time.monotonic()
    names = " ".join(part.name for part in chosen)
    say(f"Pruebas en {len(chosen)} partes, de dos en dos: {names}", f"Tests in {len(chosen)} parts, two at a time: {names}")
    return run(chosen, began)


def run(parts: Sequence[Part], began: float) -> int:
    """Run the parts, two at a time, and sum them up; `began` on the monotonic clock. Returns the exit status."""
    tally = Tally()
    with ThreadPoolExecutor(LANES) as lanes:
        ok = list(lanes.map(lambda part: _run(part, tally), parts))
    say(f"Duración: {time.monotonic() - began:.0f} s", f"Took {time.monotonic() - began:.0f} s")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)
    return 0 if all(ok) and not tally.failed and tally.passed else 1


def _run(part: Part, tally: Tally) -> bool:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="croody-report-") as folder:
        report = Path(folder) / "report.xml"
        command = [script("python"), "-m", "pytest", "-q", "--durations=5", f"--junitxml={report}", *part.arguments]
        environ = {**os.environ, "PYTHONPATH": source_path(), "PYTEST_DEBUG_TEMPROOT": folder, **part.environ}
        done = subprocess.run(
            command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        with _PRINTING:
            print(f"\n== {words('parte', 'part')} {part.name}: {time.monotonic() - began:.0f} s", flush=True)
            sys.stdout.buffer.write(done.stdout)
            sys.stdout.flush()
            # 5: nothing collected.
            if done.returncode != 5:
                tally.add(report)
        return done.returncode in {0, 5}


if __name__ == "__main__":
    sys.exit(main())

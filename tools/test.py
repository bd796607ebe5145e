"""`make test`: brings what the tests need and runs them all, in parts; ends with one line that sums them up.

python -m tools.test [--fast] [PART ...]

Eight thousand tests of real brokers, databases and browsers share two cores. So a few that failed get one second try, alone, when all
else is over, and are named as unsteady. What shows that nothing is lost gets none: a reading that is lost once in a hundred runs is lost.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

from tools import debian
from tools.stack import ROOT, script, source_path
from tools.words import Problem, fail, say, words

_PRINTING = threading.Lock()
#: Exit statuses of pytest.
_FAILED, _NOTHING_COLLECTED = 1, 5
_ENDED = (0, _NOTHING_COLLECTED)
#: How many parts run at once: one more than there are cores, for most of a part is waiting; four on a machine of many, which may be
#: shared with others.
LANES = min((os.cpu_count() or 1) + 1, 4)
#: More failures than these in a run are a fault of the code or of the machine: nothing is tried again.
MOST_AGAIN = 10
_SHORT = "not slow and not stack and not chaos and not e2e and not long"


@dataclass(frozen=True, slots=True)
class Part:
    """One run of pytest. `environ` is added to its environment; `once`: its failures get no second try."""

    name: str
    arguments: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict)
    fast: bool = False
    once: bool = False
    #: What it takes on a slow machine, in seconds: where there is less left, it is not begun.
    needs_s: float = 0.0


#: In the order in which they begin; what takes longest first.
PARTS = (
    Part("stack", ("tests", "-m", "stack and not e2e and not long")),
    Part("cloud", ("tests/cloud", "-m", _SHORT), fast=True),
    Part("chaos", ("tests", "-m", "chaos and not stack and not e2e and not long"), once=True),
    Part("edge", ("tests", "--ignore=tests/cloud", "-m", _SHORT), fast=True),
    # The tests of telemetry and the bridge choose their databases themselves, and run on both above.
    Part(
        "postgres",
        (
            # What differs between databases is the question to them; the pages of the matrix ask it on one.
            *(
                f"tests/cloud/test_who_may.py::test_{name}"
                for name in ("each_caller_gets_what_the_table_says", "the_question_and_the_query_give_the_same_answer")
            ),
            *(f"tests/cloud/{room}" for room in ("accounts", "alarms", "fleet", "detection", "web")),
            "-m",
            _SHORT,
        ),
        {"CROODY_TEST_DB": "postgres"},
    ),
    Part("pages", ("tests", "-m", "e2e and not long")),
    Part("slow", ("tests", "-m", "slow and not stack and not chaos and not e2e and not long")),
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

    def forgive(self, tests: int) -> None:
        """Count so many failures as passed."""
        self.failed -= tests
        self.passed += tests


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a part came to."""

    part: Part
    status: int
    #: The ids of the tests that failed.
    failed: frozenset[str]
    tally: Tally


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
    say(f"Pruebas en {len(chosen)} partes, {LANES} a la vez: {names}", f"Tests in {len(chosen)} parts, {LANES} at a time: {names}")
    return run(chosen, began)


def run(parts: Sequence[Part], began: float, lanes: int = LANES, until: float = float("inf")) -> int:
    """Run the parts, so many at a time, and sum them up; `began` and `until` on the monotonic clock. Returns the exit status.

    A part that would not end by `until` is left out, and named.
    """
    with tempfile.TemporaryDirectory(prefix="croody-tests-") as cache, ThreadPoolExecutor(lanes) as pool:
        outcomes = list(pool.map(lambda part: _run_in_time(part, Path(cache), until), parts))
        unsteady = _again(outcomes, Path(cache))
    total = Tally()
    for outcome in outcomes:
        total.passed += outcome.tally.passed
        total.failed += outcome.tally.failed
        total.skipped += outcome.tally.skipped
    for test in unsteady:
        say(f"Inestable, pasó al segundo intento: {test}", f"Unsteady, passed at the second try: {test}")
    say(f"Duración: {time.monotonic() - began:.0f} s", f"Took {time.monotonic() - began:.0f} s")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    ended = all(outcome.status in _ENDED or (not outcome.tally.failed and outcome.failed <= unsteady) for outcome in outcomes)
    return 0 if ended and not total.failed and total.passed else 1


def _again(outcomes: Sequence[Outcome], cache: Path) -> set[str]:
    """Give what failed its second try, one part after the other; the tallies are corrected. Returns the tests that passed then."""
    if sum(outcome.tally.failed for outcome in outcomes) > MOST_AGAIN:
        return set()
    unsteady: set[str] = set()
    for outcome in outcomes:
        # A test whose teardown failed too counts twice in the report; what was interrupted has more to it than its tests.
        if outcome.status != _FAILED or outcome.part.once or outcome.tally.failed != len(outcome.failed):
            continue
        second = _run(replace(outcome.part, arguments=(*outcome.part.arguments, "--last-failed")), cache)
        if second.status == 0 and second.tally.passed == len(outcome.failed):
            outcome.tally.forgive(len(outcome.failed))
            unsteady |= outcome.failed
    return unsteady


def _run_in_time(part: Part, cache: Path, until: float) -> Outcome:
    if time.monotonic() + part.needs_s <= until:
        return _run(part, cache)
    with _PRINTING:
        say(f"NO se probó, no queda tiempo: {part.name}", f"NOT run, no time is left: {part.name}")
    return Outcome(part, 0, frozenset(), Tally(skipped=1))


def _run(part: Part, cache: Path) -> Outcome:
    began, tally = time.monotonic(), Tally()
    kept = cache / part.name
    with tempfile.TemporaryDirectory(prefix="croody-report-") as folder:
        report = Path(folder) / "report.xml"
        own = ("--durations=5", f"--junitxml={report}", "-o", f"cache_dir={kept}")
        command = [script("python"), "-m", "pytest", "-q", *own, *part.arguments]
        environ = {**os.environ, "PYTHONPATH": source_path(), "PYTEST_DEBUG_TEMPROOT": folder, **part.environ}
        # Thousands of processes start from these sources: each would compile them again.
        environ["PYTHONPYCACHEPREFIX"] = str(cache / "bytecode")
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        done = subprocess.run(
            command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        with _PRINTING:
            print(f"\n== {words('parte', 'part')} {part.name}: {time.monotonic() - began:.0f} s", flush=True)
            sys.stdout.buffer.write(done.stdout)
            sys.stdout.flush()
        if done.returncode != _NOTHING_COLLECTED:
            tally.add(report)
        return Outcome(part, done.returncode, _failed(kept), tally)


def _failed(cache: Path) -> frozenset[str]:
    """The tests that failed in the newest run that kept its notes there."""
    try:
        return frozenset(json.loads((cache / "v/cache/lastfailed").read_text()))
    except FileNotFoundError:
        return frozenset()


if __name__ == "__main__":
    sys.exit(main())

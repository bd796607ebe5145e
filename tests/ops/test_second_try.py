"""A test that failed gets one second try, alone, and is named; what shows that nothing is lost gets none."""

import time
from pathlib import Path

import pytest

from tools import test as suite

UNSTEADY = """
from pathlib import Path
def test_passes(): pass
def test_unsteady():
    mark = Path(__file__).with_suffix(".mark")
    if not mark.exists():
        mark.touch()
        assert False
"""


def played(folder: Path, text: str, *, once: bool = False) -> int:
    (folder / "test_it.py").write_text(text)
    part = suite.Part("it", ("-c", "/dev/null", str(folder)), {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, once=once)
    return suite.run([part], time.monotonic())


def test_a_test_that_passes_at_its_second_try_is_named_and_ends_well(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert played(tmp_path, UNSTEADY) == 0
    said = capfd.readouterr().out.splitlines()
    assert said[-1] == "2 passed, 0 failed, 0 skipped"
    assert any("test_unsteady" in line and ("Unsteady" in line or "Inestable" in line) for line in said)


def test_a_test_that_fails_twice_has_failed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert played(tmp_path, UNSTEADY.replace("mark.touch()", "pass")) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


def test_what_shows_that_nothing_is_lost_is_tried_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert played(tmp_path, UNSTEADY, once=True) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


def test_many_failures_are_no_accident(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    many = "".join(UNSTEADY.replace("_unsteady", f"_unsteady_{n}").replace(".mark", f".mark{n}") for n in range(suite.MOST_AGAIN + 1))
    assert played(tmp_path, many) == 1
    assert capfd.readouterr().out.splitlines()[-1] == f"1 passed, {suite.MOST_AGAIN + 1} failed, 0 skipped"


def test_a_part_that_cannot_begin_has_failed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert played(tmp_path, "import nothing_of_that_name") == 1
    assert "0 failed" not in capfd.readouterr().out.splitlines()[-1]


def test_a_part_that_would_not_end_in_time_is_left_out_and_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_it.py").write_text("def test_passes(): pass")
    quick, slow = (
        suite.Part(name, ("-c", "/dev/null", str(tmp_path)), {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, needs_s=needs_s)
        for name, needs_s in (("quick", 0), ("slow", 60))
    )
    now = time.monotonic()
    assert suite.run([quick, slow], now, until=now + 30) == 0
    said = capfd.readouterr().out.splitlines()
    assert said[-1] == "1 passed, 0 failed, 1 skipped"
    assert any(line.endswith(": slow") and ("NOT run" in line or "NO se probó" in line) for line in said)

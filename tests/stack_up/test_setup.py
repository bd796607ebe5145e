"""Setting up a clone: what a newcomer reads when something is in the way."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack_up.newcomer import NO_INDEX, base_python, clone_to, environ
from tools import setup
from tools.words import Problem


def run(clone: Path, *command: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=clone, env=environ(**more), capture_output=True, text=True, check=False, timeout=110)


def fake_python(folder: Path, name: str, version: str) -> None:
    """A Python that is too old to run anything of ours."""
    path = folder / name
    path.write_text(f'#!/bin/sh\n[ "$1" = -V ] && echo "Python {version}" && exit 0\nexit 1\n')
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("language", "sentence"), [("C.UTF-8", "Croody needs Python 3.11, 3.12 or 3.13"), ("es_ES.UTF-8", "Croody necesita Python")]
)
def test_a_machine_with_an_old_python_only_is_told_what_to_install(clone: Path, tmp_path: Path, language: str, sentence: str) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        fake_python(tmp_path, name, "3.9.2")
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    script = (clone / "tools" / "find-python").read_text().replace("/usr/bin/python3", "")
    done = run(tmp_path, "/bin/sh", "-c", script, PATH=str(tmp_path), LC_ALL=language, LANG=language)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "3.9.2" in done.stderr
    assert "PYTHON=" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_python_that_was_asked_for_and_is_wrong_is_refused_by_name(clone: Path, tmp_path: Path) -> None:
    fake_python(tmp_path, "mypython", "3.14.0")
    done = run(clone, "make", "up", PYTHON=str(tmp_path / "mypython"))
    assert done.returncode != 0
    assert f"PYTHON={tmp_path}/mypython is Python 3.14.0" in done.stderr


def test_the_python_that_was_asked_for_is_taken(clone: Path) -> None:
    assert run(clone, "sh", "tools/find-python", PYTHON=base_python()).stdout.strip() == base_python()


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (2, 7)])
def test_the_set_up_itself_refuses_a_python_outside_the_range(version: tuple[int, int]) -> None:
    with pytest.raises(Problem, match=r"3\.11, 3\.12 or 3\.13"):
        setup.check_version(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_the_set_up_accepts_every_python_it_promises(version: tuple[int, int]) -> None:
    setup.check_version(version)


def test_a_debian_without_the_venv_package_is_told_its_name(clone: Path, tmp_path: Path) -> None:
    # Debian's own venv says this and ends with 1 when the package is missing.
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "__init__.py").touch()
    (tmp_path / "venv" / "__main__.py").write_text(
        "print('The virtual environment was not created successfully because ensurepip is not available.'); raise SystemExit(1)"
    )
    done = run(clone, base_python(), "-m", "tools.setup", "up", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert f"apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in done.stderr
    assert not (clone / ".venv").exists()


def test_something_else_named_venv_is_not_deleted(tmp_path: Path) -> None:
    clone = clone_to(tmp_path / "croody")
    (clone / ".venv").mkdir()
    (clone / ".venv" / "thesis.txt").write_text("years of work")
    done = run(clone, base_python(), "-m", "tools.setup", "up")
    assert done.returncode == 1
    assert "move or delete it" in done.stderr
    assert (clone / ".venv" / "thesis.txt").read_text() == "years of work"


def test_an_environment_given_by_variable_is_used_and_nothing_is_installed(clone: Path) -> None:
    done = run(clone, base_python(), "-m", "tools.setup", "up", CROODY_VENV=sys.prefix, **NO_INDEX)
    assert done.returncode == 0
    assert not (clone / ".venv").exists()


def test_an_environment_given_by_variable_that_is_none_is_refused(clone: Path, tmp_path: Path) -> None:
    done = run(clone, base_python(), "-m", "tools.setup", "up", CROODY_VENV=str(tmp_path))
    assert done.returncode == 1
    assert "CROODY_VENV" in done.stderr


@pytest.mark.slow
def test_without_a_network_one_sentence_says_so(tmp_path: Path) -> None:
    clone = clone_to(tmp_path / "croody")
    done = run(clone, base_python(), "-m", "tools.setup", "up", **NO_INDEX)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    # What is there of the environment is used by the next attempt.
    assert (clone / ".venv" / "bin" / "python").exists()
    assert not (clone / ".venv" / setup.STAMP).exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB, on which a clone has room and what is installed has none; only root can mount one."""
    path = tmp_path / "small"
    path.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40M", "tmpfs", str(path)], capture_output=True, check=False).returncode
    ):
        pytest.skip("only root can mount a small file system, and not in every container")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_called_a_full_disk(small_disk: Path) -> None:
    clone = clone_to(small_disk / "croody")
    done = run(clone, base_python(), "-m", "tools.setup", "up", TMPDIR=str(small_disk))
    assert done.returncode == 1
    assert "disk is full" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1

"""The `croody` command in a terminal that knows too little, or too much."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from croody.manage import take_checkout_environment

_OURS = {"SECRET_KEY", "DATABASE_URL", "TG_DB_PATH", "CROODY_STATE_DIR", "LC_ALL", "LC_MESSAGES", "LANG"}


def croody(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if name not in _OURS}
    command = [sys.executable, "-m", "croody.manage", *words]
    return subprocess.run(command, env={**bare, **environ}, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(("lang", "told"), [("es_CO.UTF-8", "no se puede usar"), ("C.UTF-8", "cannot be used")])
def test_a_database_that_cannot_be_opened_is_one_sentence_in_the_terminals_language(tmp_path: Path, lang: str, told: str):
    nowhere = tmp_path / "nowhere" / "croody.db"
    done = croody("robot", "list", SECRET_KEY="of another project " * 3, DATABASE_URL=f"sqlite:///{nowhere}", LANG=lang)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for part in ("croody: ", str(nowhere), "unable to open database file", told, "DATABASE_URL", "make up"):
        assert part in done.stderr


def test_a_database_without_our_tables_says_which_command_makes_them(tmp_path: Path):
    done = croody("robot", "list", SECRET_KEY="k" * 50, DATABASE_URL=f"sqlite:///{tmp_path / 'fresh.db'}")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "croody setup" in done.stderr


def test_a_database_that_does_not_answer_is_named_without_its_password():
    done = croody("robot", "list", SECRET_KEY="k" * 50, DATABASE_URL="postgres://croody:hidden-word@127.0.0.1:9/croody")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "127.0.0.1:croody" in done.stderr
    assert "hidden-word" not in done.stderr


@pytest.mark.parametrize(("lang", "told"), [("es_CO.UTF-8", "no hay SECRET_KEY"), ("C.UTF-8", "there is no SECRET_KEY")])
def test_no_key_and_no_system_is_one_sentence_too(tmp_path: Path, lang: str, told: str):
    done = croody("robot", "list", CROODY_STATE_DIR=str(tmp_path), LANG=lang)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert "make up" in done.stderr


def test_the_traceback_is_there_for_who_asks(tmp_path: Path):
    done = croody("robot", "--traceback", "list", SECRET_KEY="k" * 50, DATABASE_URL=f"sqlite:///{tmp_path / 'fresh.db'}")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_the_system_of_make_up_is_taken_whole_past_a_key_of_another_project(tmp_path: Path):
    path = tmp_path / "env"
    path.write_text("SECRET_KEY_FILE=/of/make/up\nDATABASE_URL=sqlite:////of/make/up.db\n", encoding="utf-8")
    environ = {"SECRET_KEY": "of another project", "TERM": "xterm"}
    take_checkout_environment(environ, path)
    assert environ == {"SECRET_KEY_FILE": "/of/make/up", "DATABASE_URL": "sqlite:////of/make/up.db", "TERM": "xterm"}


def test_who_names_a_system_of_their_own_keeps_it(tmp_path: Path):
    path = tmp_path / "env"
    path.write_text("DATABASE_URL=sqlite:////of/make/up.db\n", encoding="utf-8")
    own = {"SECRET_KEY": "k", "DATABASE_URL": "postgres://db/croody"}
    environ = dict(own)
    take_checkout_environment(environ, path)
    assert environ == own

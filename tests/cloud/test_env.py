"""Where a variable's value comes from."""

from pathlib import Path

import pytest

from croody.env import BadEnvironment, value_of


@pytest.mark.parametrize(
    ("named", "in_file", "value"),
    [
        ("postgres://here", None, "postgres://here"),
        ("postgres://here", "postgres://there", "postgres://here"),
        ("", "postgres://there\n", "postgres://there"),
        (None, "postgres://there", "postgres://there"),
        ("", "", ""),
        ("", None, ""),
        (None, None, "default"),
    ],
)
def test_a_variable_counts_before_its_file_and_an_empty_one_says_nothing(
    tmp_path: Path, named: str | None, in_file: str | None, value: str
) -> None:
    environ = {} if named is None else {"TG_DB_URL": named}
    if in_file is not None:
        (tmp_path / "secret").write_text(in_file)
        environ["TG_DB_URL_FILE"] = str(tmp_path / "secret")

    assert value_of(environ, "TG_DB_URL", "default") == value


def test_a_secret_that_nobody_filled_in_is_an_empty_one() -> None:
    # What production mounts where telemetry has no database of its own.
    assert value_of({"TG_DB_URL": "", "TG_DB_URL_FILE": "/dev/null"}, "TG_DB_URL") == ""


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadEnvironment, match=r"TG_DB_URL_FILE=.*missing: cannot be read"):
        value_of({"TG_DB_URL_FILE": str(tmp_path / "missing")}, "TG_DB_URL")

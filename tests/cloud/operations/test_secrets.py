"""Which secrets production accepts, and which ones the development system makes for itself."""

import re
import stat
from pathlib import Path

import pytest

from croody.operations import secrets

WRAPPER = (Path(__file__).parents[3] / "ops" / "secrets.sh").read_text()
GOOD = {
    "SECRET_KEY": "k" * 64,
    "BRIDGE_TOKEN": "b" * 43,
    "BRIDGE_MQTT_PASSWORD": "m" * 43,
    "DATABASE_URL": "postgres://croody:pppppppppppppppppppppppp@db:5432/croody",
}


def test_good_secrets_have_no_faults() -> None:
    assert secrets.faults(GOOD) == []


def test_every_missing_secret_is_named_at_once() -> None:
    found = secrets.faults({"DATABASE_URL": "sqlite:////data/croody.db"})

    assert found == ["SECRET_KEY: missing", "BRIDGE_TOKEN: missing", "BRIDGE_MQTT_PASSWORD: missing"]


@pytest.mark.parametrize("value", ["change-me-in-prod", "django-insecure-" + "x" * 60, "<your key here, fifty characters or more please>"])
def test_a_placeholder_is_refused_however_long_it_is(value: str) -> None:
    assert secrets.faults({**GOOD, "SECRET_KEY": value}) == ["SECRET_KEY: a placeholder that everybody knows"]


def test_the_database_password_of_the_earlier_croody_is_refused() -> None:
    found = secrets.faults({**GOOD, "DATABASE_URL": "postgres://croody:croody@db:5432/croody"})

    assert found == ["DATABASE_URL (its password): a placeholder that everybody knows"]


def test_an_optional_token_may_be_absent_but_not_short() -> None:
    assert secrets.faults({**GOOD, "TG_INGEST_TOKEN": ""}) == []
    assert secrets.faults({**GOOD, "TG_INGEST_TOKEN": "abc"}) == ["TG_INGEST_TOKEN: 3 characters, and 32 or more are needed"]


def test_a_secret_file_that_cannot_be_read_is_a_fault_of_its_own() -> None:
    found = secrets.faults({**{k: v for k, v in GOOD.items() if k != "SECRET_KEY"}, "SECRET_KEY_FILE": "/nonexistent/key"})

    assert len(found) == 1
    assert "/nonexistent/key" in found[0]


def test_secrets_are_made_once_and_are_readable_by_nobody_else(tmp_path: Path) -> None:
    secrets.make(tmp_path, secrets.CLOUD)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    secrets.make(tmp_path, secrets.CLOUD)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
    assert set(before) == set(secrets.CLOUD)
    assert len(set(before.values())) == len(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_an_empty_secret_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "ADMIN_PASSWORD").write_text("\n")

    secrets.make(tmp_path, secrets.ROBOTS)

    assert len((tmp_path / "ADMIN_PASSWORD").read_text().strip()) >= 12


def test_the_credentials_of_robots_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "robots"
    assert secrets.read_credentials(path) == {}

    secrets.write_credentials(path, {"robot-a": "s3cret", "robot-b": "other"})

    assert secrets.read_credentials(path) == {"robot-a": "s3cret", "robot-b": "other"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_secrets_of_other_containers_are_judged_where_they_are_given() -> None:
    password = "p" * 24

    assert secrets.others(GOOD) == []
    assert secrets.others({**GOOD, "POSTGRES_PASSWORD": password, "ADMIN_PASSWORD": "a" * 18}) == []
    assert secrets.others({**GOOD, "POSTGRES_PASSWORD": "", "ADMIN_PASSWORD": "change-me"}) == [
        "POSTGRES_PASSWORD: missing",
        "ADMIN_PASSWORD: a placeholder that everybody knows",
    ]
    assert secrets.others({**GOOD, "POSTGRES_PASSWORD": "q" * 24}) == ["DATABASE_URL: its password is not the one in POSTGRES_PASSWORD"]


def test_the_wrapper_makes_secrets_of_the_size_that_the_system_makes() -> None:
    # The shell makes them where there is no Python yet.
    made = re.findall(r'^  put ([A-Z_]+) "\$\(random (\d+)\)"$', WRAPPER, re.MULTILINE)

    assert {name: int(size) for name, size in made} == {name: size for name, size in secrets.SIZES.items() if name != "TG_INGEST_TOKEN"}


def test_the_wrapper_asks_for_secrets_as_long_as_the_system_does() -> None:
    # Before anything is built it judges files by itself, and what it lets pass must not be refused minutes later.
    pairs = re.findall(r"\b([A-Z_]+):(\d+)\b", WRAPPER)
    wrapper = {name: int(shortest) for name, shortest in pairs if name != "DATABASE_URL"}
    system = {**secrets._REQUIRED, **secrets._OPTIONAL, **secrets._OTHERS}
    del system["TG_INGEST_TOKEN"]  # empty is good

    assert wrapper == system

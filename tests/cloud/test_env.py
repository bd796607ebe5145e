"""Where a variable's value comes from."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from croody.env import ROLES, SECRETS, BadEnvironment, Role, Smtp, read, value_of


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


LONG = "0123456789abcdefghijklmnopqrstuvwxyz-0123456789abcdefghijklmn"
EVERY_SECRET = dict.fromkeys(("SECRET_KEY", "BRIDGE_TOKEN", "BRIDGE_MQTT_PASSWORD", "TG_INGEST_TOKEN", "IDS_API_TOKEN"), LONG)
EVERY_SECRET |= dict.fromkeys(("CROODY_STRIPE_KEY", "CROODY_STRIPE_WEBHOOK_SECRET"), LONG)
EVERY_SECRET["CROODY_SMTP_URL"] = "smtp://croody:secret@mail.example.org"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_starts_with_the_secrets_it_needs_and_takes_no_others_up(role: Role) -> None:
    own = {name: EVERY_SECRET[name] for name in SECRETS[role]}
    assert read({"CROODY_ROLE": role, **own}) == read({"CROODY_ROLE": role, **EVERY_SECRET})


@pytest.mark.parametrize(("role", "name"), [("web", "SECRET_KEY"), ("telemetry", "BRIDGE_TOKEN"), ("worker", "BRIDGE_MQTT_PASSWORD")])
def test_a_role_without_its_secret_does_not_start(role: Role, name: str) -> None:
    with pytest.raises(BadEnvironment, match=f"{name}: .*missing"):
        read({"CROODY_ROLE": role, **EVERY_SECRET, name: ""})


@pytest.mark.parametrize(
    ("environ", "open_to_all"),
    [
        ({}, False),
        ({"CROODY_DEMO": "1"}, True),
        ({"DEBUG": "true"}, True),
        ({"CROODY_REGISTRATION": "1"}, True),
        ({"CROODY_DEMO": "1", "CROODY_REGISTRATION": "0"}, False),
        ({"CROODY_REGISTRATION": ""}, False),
    ],
)
def test_nobody_registers_in_production_unless_somebody_says_so(environ: dict[str, str], open_to_all: bool) -> None:
    assert read({"CROODY_ROLE": "web", "SECRET_KEY": LONG, **environ}).registration is open_to_all


def test_trusted_proxies_are_addresses_and_networks_and_nobody_when_nobody_says_so() -> None:
    given = {"CROODY_ROLE": "web", "SECRET_KEY": LONG}
    assert read(given).trusted_proxies == ()
    assert read({**given, "CROODY_TRUSTED_PROXIES": "127.0.0.1, fc00::/7"}).trusted_proxies == (
        ip_network("127.0.0.1"),
        ip_network("fc00::/7"),
    )
    with pytest.raises(BadEnvironment, match=r"CROODY_TRUSTED_PROXIES: .*172\.16\.0\.1/12.*write addresses or networks"):
        read({**given, "CROODY_TRUSTED_PROXIES": "172.16.0.1/12"})


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://croody:p%40ss@mail.example.org", Smtp("mail.example.org", 587, "croody", "p@ss", "starttls")),
        ("smtps://mail.example.org:8465", Smtp("mail.example.org", 8465, "", "", "tls")),
        ("smtp+plain://127.0.0.1:2525", Smtp("127.0.0.1", 2525, "", "", "plain")),
    ],
)
def test_a_mail_server_is_an_address(url: str, server: Smtp) -> None:
    assert read({"CROODY_ROLE": "worker", **EVERY_SECRET, "CROODY_SMTP_URL": url}).smtp == server


@pytest.mark.parametrize("url", ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://mail.example.org:port"])
def test_a_mail_server_that_is_none_is_refused_with_the_remedy_and_without_its_password(url: str) -> None:
    with pytest.raises(BadEnvironment, match=r"CROODY_SMTP_URL: .*smtp://"):
        read({"CROODY_ROLE": "worker", **EVERY_SECRET, "CROODY_SMTP_URL": url})


def test_mail_comes_from_the_site_that_people_know() -> None:
    named = {"CROODY_ROLE": "worker", **EVERY_SECRET, "CROODY_PUBLIC_URL": "https://robots.example.org:8443"}
    assert read(named).mail_from == "Croody <croody@robots.example.org>"
    assert read({**named, "CROODY_MAIL_FROM": "Bodega <b@example.org>"}).mail_from == "Bodega <b@example.org>"

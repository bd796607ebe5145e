"""A new robot's board: what is printed for it, run by a real shell, and the trust that it carries, against real TLS."""

import io
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from socket import create_server

import pytest
from django.conf import settings as live
from django.core.management import CommandError, call_command

from croody.container import certificate
from croody.fleet import board, trust
from croody.fleet.models import Robot

URL = "mqtts://robots.example:8883"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the certificate of `robots.example`, signed by the site's own authority."""
    for name in ("tls", "authority"):
        (tmp_path / name).mkdir()
    certificate.ensure(tmp_path / "tls", tmp_path / "authority", ["robots.example", "127.0.0.1"])
    return tmp_path / "tls"


@contextmanager
def serving(tls: Path) -> Iterator[int]:
    """A server that shakes hands and closes; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / certificate.CHAIN, tls / certificate.KEY)
    listener = create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain, suppress(OSError):
                context.wrap_socket(plain, server_side=True).close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(2)
        listener.close()
        thread.join()


def test_the_authority_that_a_board_needs_is_found_by_looking_and_was_tried(site: Path) -> None:
    with serving(site) as port:
        found = trust.look("127.0.0.1", port, "robots.example")

    assert found == trust.Trust((site / certificate.AUTHORITY).read_text())


def test_a_certificate_for_another_name_is_told(site: Path) -> None:
    with serving(site) as port:
        found = trust.look("127.0.0.1", port, "elsewhere.example")

    assert found.authority == (site / certificate.AUTHORITY).read_text()
    assert "elsewhere.example" in found.problem


def test_of_an_authority_that_does_not_show_itself_the_root_is_asked_for(site: Path) -> None:
    chain = (site / certificate.CHAIN).read_text()
    (site / certificate.CHAIN).write_text(chain[: chain.index("END CERTIFICATE-----") + len("END CERTIFICATE-----\n")])

    with serving(site) as port:
        found = trust.look("127.0.0.1", port, "robots.example")

    assert not found.authority
    assert "the root of who signed it" in found.problem


def test_a_broker_that_is_away_is_told(site: Path) -> None:
    with serving(site) as port:
        pass

    assert f"no broker at 127.0.0.1:{port}" in trust.look("127.0.0.1", port, "robots.example").problem


def test_a_certificate_that_every_machine_trusts_needs_no_authority(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(site / certificate.AUTHORITY))
    with serving(site) as port:
        assert trust.look("127.0.0.1", port, "robots.example") == trust.Trust()


def test_the_lines_for_a_board_set_its_folder_up_and_keep_what_was_there(tmp_path: Path, site: Path) -> None:
    pem = (site / certificate.AUTHORITY).read_text()
    folder, programs = tmp_path / "board", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (folder / ".env").write_text("before\n")
    (programs / "docker").write_text('#!/bin/sh\necho "docker $*"\n')
    (programs / "docker").chmod(0o755)
    lines = board.script("taller-01", "it's secret", URL, pem)

    environ = {"PATH": f"{programs}:/usr/bin:/bin"}
    done = subprocess.run(["sh"], input=f"umask 077\n{lines}", cwd=folder, env=environ, capture_output=True, text=True, check=True)

    assert done.stdout == "docker compose up -d --wait --force-recreate\n"
    assert (folder / "secrets" / "ROBOT_SECRET").read_text() == "it's secret\n"
    assert (folder / "secrets" / "ROBOT_SECRET").stat().st_mode & 0o777 == 0o644, "the agent's account must read it"
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert (folder / "secrets" / "ca" / "ca.pem").read_text() == pem
    assert (folder / ".env").read_text().splitlines() == [
        "COMPOSE_FILE=docker-compose.edge.yml",
        f"CROODY_BROKER_URL={URL}",
        "ROBOT_ID=taller-01",
        "CROODY_CA_FILE=/ca/ca.pem",
    ]
    assert (folder / ".env.before").read_text() == "before\n"


def test_without_an_authority_of_its_own_a_board_trusts_what_its_system_trusts() -> None:
    lines = board.script("taller-01", "secret", URL, "")

    assert "ca.pem" not in lines
    assert "CROODY_CA_FILE" not in lines


def test_an_address_that_no_other_machine_reaches_is_told() -> None:
    assert "CROODY_DOMAIN" in board.script("taller-01", "secret", "mqtts://localhost:8883", "")
    assert "CROODY_DOMAIN" not in board.script("taller-01", "secret", URL, "")


@pytest.mark.django_db
def test_programs_read_id_and_secret_and_people_beside_it_what_the_board_needs(settings: pytest.FixtureRequest) -> None:
    settings.ENV = replace(live.ENV, robots_url=URL, broker_url="mqtt://nowhere.invalid:1883")
    out, said = io.StringIO(), io.StringIO()

    call_command("robot", "add", "taller-01", stdout=out, stderr=said)

    robot_id, secret = out.getvalue().split()
    assert robot_id == "taller-01"
    assert f"echo {secret} > secrets/ROBOT_SECRET" in said.getvalue()
    assert f"CROODY_BROKER_URL={URL}" in said.getvalue()
    assert "no broker at nowhere.invalid:8883" in said.getvalue()


@pytest.mark.django_db
def test_for_a_board_alone_nothing_is_made_when_nobody_said_where_the_broker_is() -> None:
    with pytest.raises(CommandError, match="CROODY_ROBOTS_URL"):
        call_command("robot", "add", "taller-01", "--board")

    assert not Robot.objects.filter(robot_id="taller-01").exists()

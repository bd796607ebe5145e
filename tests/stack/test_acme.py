"""A certificate of an ACME server (Debian's pebble): issued, renewed and taken up on 443 and 8883 with no hand."""

import http.client
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.hardening import assert_hardened
from tests.stack.system import OWN, System, eventually

pytestmark = pytest.mark.stack
NAME = "robots.croody.test"
FILES = ["docker-compose.yml", "docker-compose.prod.yml", "docker-compose.acme.yml", "tests/stack/acme/compose.yml"]


@pytest.fixture(scope="module")
def system(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    environ = {
        "CROODY_DOMAIN": NAME,
        "SECRETS_DIR": str(tmp_path_factory.mktemp("acme") / "secrets"),
        "ACME_SERVER": "https://pebble:14000/dir",
        # Pebble's own address has a certificate that nobody signed; every look is a renewal, so that a test sees one.
        "ACME_OPTIONS": "--no-verify-ssl --force-renewal",
        "ACME_LOOK_S": "20",
        "GATEWAY_LOOK_S": "2",
    }
    with System(f"{OWN}-acme", FILES, **environ) as system:
        system.croody("secrets", "init")
        system.compose("build", "pebble")
        system.croody("up")
        yield system


def shown(port: int) -> tuple[str, str]:
    """Serial and issuer of the certificate at a port."""
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=10)
    done = subprocess.run(["openssl", "x509", "-noout", "-serial", "-issuer"], input=pem, capture_output=True, text=True, check=True)
    serial, issuer = done.stdout.strip().splitlines()
    return serial, issuer


def test_a_certificate_is_issued_and_renewed_on_both_ports_while_a_stream_goes_on(system: System) -> None:
    def issued() -> str:
        (serial, issuer), broker = shown(system.https), shown(system.mqtts)
        return serial if "Pebble" in issuer and broker == (serial, issuer) else ""

    first = eventually("a certificate of the authority on both ports", issued, 90, every_s=1)

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("localhost", system.https, timeout=30, context=context)
    connection.request("GET", "/robots/monitor/stream", headers={"Host": NAME})
    events = connection.getresponse()
    assert events.fp.readline()

    eventually("a renewed certificate on both ports", lambda: issued() not in {"", first}, 90, every_s=1)
    assert events.fp.readline(), "the stream ended"
    events.close()
    connection.close()


def test_port_80_and_login_links_lead_to_the_port_that_people_reach(system: System) -> None:
    site = f"https://{NAME}:{system.https}"
    page, api = (system.plain(path, Host=NAME) for path in ("/robots/?a=b", "/api/ids/model"))

    assert (page.status, page.headers["location"]) == (302, f"{site}/robots/?a=b")
    assert (api.status, api.headers["location"]) == (308, f"{site}/api/ids/model")
    assert system.croody("login-link", "--user", "alice", "--create").startswith(f"{site}/cuenta/entrar/")


def test_certbot_is_as_hardened_as_the_others(system: System) -> None:
    assert_hardened(system, "certbot")


def test_nobody_reads_the_key_but_owner_and_group(system: System) -> None:
    modes = system.inside("certbot", "stat", "-c", "%a %u %n", "/data/tls/privkey.pem", "/data/letsencrypt/accounts").splitlines()

    assert modes[0].startswith("640 10001 ")
    assert modes[1].split()[0] in {"700", "750"}


def test_the_dark_corners_of_the_challenge_folder_are_not_shown(system: System) -> None:
    for path in (
        "/.well-known/acme-challenge/",
        "/.well-known/acme-challenge/nothing",
        "/.well-known/acme-challenge/../../../data/tls/privkey.pem",
    ):
        assert system.plain(path, Host=NAME).status in {302, 400, 403, 404}
        assert "PRIVATE KEY" not in system.plain(path, Host=NAME).text


def test_the_folder_of_secrets_is_closed_to_others(system: System) -> None:
    assert Path(system.environ["SECRETS_DIR"]).stat().st_mode & 0o077 == 0


def test_a_certificate_that_is_not_due_yet_comes_back_to_its_place(system: System) -> None:
    system.compose("stop", "certbot")
    system.compose("run", "--rm", "-T", "--no-deps", "migrate", "sh", "-c", "rm /data/tls/*.pem && exec /entrypoint.sh prepare")
    eventually("the site's own certificate", lambda: "Pebble" not in shown(system.https)[1], 60)

    system.environ["ACME_OPTIONS"] = "--no-verify-ssl"  # without --force-renewal: nothing is issued
    system.compose("up", "-d", "--no-deps", "certbot")

    eventually("the authority's certificate again", lambda: "Pebble" in shown(system.https)[1], 60)

"""The first certificate, made by the real openssl."""

import ssl
import stat
import subprocess
from pathlib import Path

from croody.container import access_log, certificate


def test_a_certificate_names_hosts_and_addresses_and_is_made_once(tmp_path: Path) -> None:
    assert certificate.ensure(tmp_path, ["croody.example", "localhost", "127.0.0.1", "::1"]) is True
    first = (tmp_path / certificate.CHAIN).read_bytes()
    assert certificate.ensure(tmp_path, ["other.example"]) is False

    assert (tmp_path / certificate.CHAIN).read_bytes() == first
    context = ssl.create_default_context(cafile=str(tmp_path / certificate.CHAIN))
    (authority,) = context.get_ca_certs()
    names = authority["subjectAltName"]
    assert ("DNS", "croody.example") in names
    assert ("IP Address", "127.0.0.1") in names


def signed(folder: Path, days: str) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run(
        [*command, "-days", days, "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"], check=True, capture_output=True
    )


def test_a_self_signed_certificate_that_ends_soon_is_made_anew(tmp_path: Path) -> None:
    signed(tmp_path, "10")
    assert certificate.ends_soon(tmp_path / certificate.CHAIN)

    assert certificate.ensure(tmp_path, ["localhost"]) is True

    assert not certificate.ends_soon(tmp_path / certificate.CHAIN)


def test_a_certificate_that_an_authority_signed_is_never_touched(tmp_path: Path) -> None:
    authority = tmp_path / "authority"
    authority.mkdir()
    signed(authority, "3650")
    ask = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=robots.example"]
    subprocess.run([*ask, "-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "request.pem"], check=True, capture_output=True)
    sign = ["openssl", "x509", "-req", "-in", tmp_path / "request.pem", "-days", "1", "-CAcreateserial"]
    sign += ["-CA", authority / "fullchain.pem", "-CAkey", authority / "privkey.pem", "-out", tmp_path / "fullchain.pem"]
    subprocess.run(sign, check=True, capture_output=True)

    assert certificate.ends_soon(tmp_path / certificate.CHAIN)
    assert certificate.ensure(tmp_path, ["localhost"]) is False


def test_its_key_is_for_owner_and_group_only(tmp_path: Path) -> None:
    certificate.ensure(tmp_path, ["localhost"])

    assert stat.S_IMODE((tmp_path / certificate.KEY).stat().st_mode) == 0o640
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tmp_path / certificate.CHAIN, tmp_path / certificate.KEY)


def test_the_log_leaves_out_what_is_well_and_tells_of_what_is_not() -> None:
    assert access_log.is_quiet("/healthz", 200)
    assert access_log.is_quiet("/api/telemetry/bridge/relay", 200)
    assert not access_log.is_quiet("/api/telemetry/bridge/relay", 503)
    assert not access_log.is_quiet("/api/telemetry/ingest", 201)

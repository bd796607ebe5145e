"""The first certificate, made by the real openssl."""

import os
import shutil
import signal
import ssl
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from croody.operations import certificate, renew
from croody.serve import access_log


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """Where gateway and broker look."""
    (tmp_path / "tls").mkdir()
    return tmp_path / "tls"


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """Where the site's authority is kept."""
    (tmp_path / "authority").mkdir()
    return tmp_path / "authority"


def test_a_certificate_names_hosts_and_addresses_and_is_made_once(tls: Path, authority: Path) -> None:
    names = ["croody.example", "localhost", "127.0.0.1", "::1"]

    assert certificate.ensure(tls, authority, names) is True
    first = (tls / certificate.CHAIN).read_bytes()
    assert certificate.ensure(tls, authority, names) is False

    assert (tls / certificate.CHAIN).read_bytes() == first
    assert {"croody.example", "localhost", "127.0.0.1"} < certificate.certified(tls / certificate.CHAIN)


def test_a_site_that_changes_its_name_gets_another_certificate_and_robots_trust_it_as_before(tls: Path, authority: Path) -> None:
    certificate.ensure(tls, authority, ["old.example"])
    trusted = (tls / certificate.AUTHORITY).read_bytes()

    assert certificate.ensure(tls, authority, ["new.example"]) is True

    assert (tls / certificate.AUTHORITY).read_bytes() == trusted
    assert certificate.certified(tls / certificate.CHAIN) == {"new.example"}
    assert_shakes_hands(tls, "new.example")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        assert_shakes_hands(tls, "old.example")


def test_an_authority_that_is_brought_from_another_server_signs_anew(tls: Path, authority: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "tls").mkdir(parents=True)
    (other / "authority").mkdir()
    certificate.ensure(other / "tls", other / "authority", ["robots.example"])
    certificate.ensure(tls, authority, ["robots.example"])

    for name in (certificate.AUTHORITY, certificate.AUTHORITY_KEY):
        shutil.copy(other / "authority" / name, authority / name)

    assert certificate.ensure(tls, authority, ["robots.example"]) is True
    assert (tls / certificate.AUTHORITY).read_bytes() == (other / "tls" / certificate.AUTHORITY).read_bytes()
    assert_shakes_hands(tls, "robots.example")


def test_one_of_the_sites_own_is_renewed_before_it_ends_and_only_then(tls: Path, authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "_DAYS", 59)
    certificate.ensure(tls, authority, ["robots.example"])
    monkeypatch.undo()
    trusted = (tls / certificate.AUTHORITY).read_bytes()

    assert certificate.ensure(tls, authority, ["robots.example"]) is True
    assert not certificate.ends_within(tls / certificate.CHAIN, 364 * 24 * 3600)
    assert certificate.ends_within(tls / certificate.CHAIN, 366 * 24 * 3600)
    assert (tls / certificate.AUTHORITY).read_bytes() == trusted
    assert certificate.ensure(tls, authority, ["robots.example"]) is False


def test_one_of_the_sites_own_that_was_made_while_the_clock_was_ahead_is_made_anew(tls: Path, authority: Path) -> None:
    certificate.ensure(tls, authority, ["robots.example"])
    chain, key = tls / certificate.CHAIN, tls / certificate.KEY
    later = ["openssl", "ca", "-batch", "-notext", "-config", "/dev/stdin", "-keyfile", authority / certificate.AUTHORITY_KEY]
    later += ["-cert", authority / certificate.AUTHORITY, "-startdate", "20320101000000Z", "-enddate", "20330101000000Z"]
    ask = ["openssl", "req", "-new", "-key", key, "-subj", "/CN=robots.example", "-addext", "subjectAltName=DNS:robots.example"]
    (tls / "request").write_bytes(subprocess.run(ask, check=True, capture_output=True).stdout)
    (tls / "index").touch()
    config = f"[ca]\ndefault_ca=d\n[d]\nnew_certs_dir={tls}\ndatabase={tls}/index\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
    config += "copy_extensions=copy\n[p]\ncommonName=supplied\n"
    subprocess.run([*later, "-in", tls / "request", "-out", chain], input=config, check=True, capture_output=True, text=True)
    assert certificate.begins_later(chain)

    assert certificate.ensure(tls, authority, ["robots.example"]) is True
    assert not certificate.begins_later(chain)


def test_what_is_no_certificate_is_left_to_whoever_put_it_there(tls: Path, authority: Path) -> None:
    certificate.ensure(tls, authority, ["robots.example"])
    (tls / certificate.CHAIN).write_text("not PEM")

    assert certificate.ensure(tls, authority, ["robots.example"]) is False
    assert (tls / certificate.CHAIN).read_text() == "not PEM"


def test_while_somebody_brings_a_key_and_a_certificate_neither_is_touched(
    tls: Path, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renew, "TLS", tls)
    monkeypatch.setattr(renew, "AUTHORITY", authority)
    (tls / certificate.KEY).write_text("of theirs")

    renew.look()

    assert (tls / certificate.KEY).read_text() == "of theirs"
    assert not (tls / certificate.CHAIN).exists()


def test_two_who_look_at_the_same_time_make_one(tls: Path, authority: Path) -> None:
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: certificate.ensure(tls, authority, ["robots.example"]), range(6)))

    assert sorted(made) == [False] * 5 + [True]
    assert_shakes_hands(tls, "robots.example")


def service(tls: Path, authority: Path, alive: Path) -> subprocess.Popen[str]:
    """A process, for it holds back signals, and whatever this one starts would inherit that."""
    program = (
        "import sys; from pathlib import Path; from croody.operations import renew;"
        "renew.TLS, renew.AUTHORITY, renew.ALIVE = map(Path, sys.argv[1:]); sys.exit(renew.main())"
    )
    command = [sys.executable, "-c", program, tls, authority, alive]
    environ = os.environ | {"CROODY_DOMAIN": "robots.example"}
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_service_looks_at_its_start_and_ends_at_once_when_it_is_told_to(tls: Path, authority: Path, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    with service(tls, authority, alive) as running:
        try:
            deadline = time.monotonic() + 60
            while not alive.exists():
                assert running.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            running.send_signal(signal.SIGTERM)
        said, _ = running.communicate(timeout=30)

    assert running.returncode == 0
    assert "made a new certificate" in said
    assert "robots.example" in certificate.certified(tls / certificate.CHAIN)


def test_a_folder_that_is_not_there_ends_the_service_with_a_sentence(tls: Path, tmp_path: Path) -> None:
    with service(tls, tmp_path / "missing", tmp_path / "alive") as ended:
        _, said = ended.communicate(timeout=60)

    assert ended.returncode == 1
    assert said.strip() == f"croody: [Errno 2] No such file or directory: '{tmp_path / 'missing'}'"


def assert_shakes_hands(tls: Path, name: str) -> None:
    """A client that trusts the authority alone, as strictly as it can, and a server with the certificate, in memory."""
    client = ssl.create_default_context(cafile=str(tls / certificate.AUTHORITY))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tls / certificate.CHAIN, tls / certificate.KEY)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True)]
    for end in [*ends, *ends]:
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert ends[0].getpeercert()


def signed(folder: Path, days: str) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run(
        [*command, "-days", days, "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"], check=True, capture_output=True
    )


def test_a_self_signed_certificate_is_kept_until_it_ends(tls: Path, authority: Path) -> None:
    signed(tls, "10")
    assert certificate.ensure(tls, authority, ["localhost"]) is False

    chain, key = tls / certificate.CHAIN, tls / certificate.KEY
    over = ["openssl", "x509", "-in", chain, "-signkey", key, "-days", "-1", "-out", chain]
    subprocess.run(over, check=True, capture_output=True)
    assert certificate.ensure(tls, authority, ["localhost"]) is True

    assert not certificate.ends_within(chain, 3600)
    assert not certificate.is_self_signed(tls / certificate.CHAIN)


def test_a_certificate_that_another_authority_signed_is_never_touched(tls: Path, authority: Path, tmp_path: Path) -> None:
    signed(tmp_path, "3650")
    ask = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=robots.example"]
    subprocess.run([*ask, "-keyout", tls / "privkey.pem", "-out", tmp_path / "request.pem"], check=True, capture_output=True)
    sign = ["openssl", "x509", "-req", "-in", tmp_path / "request.pem", "-days", "1", "-CAcreateserial"]
    sign += ["-CA", tmp_path / "fullchain.pem", "-CAkey", tmp_path / "privkey.pem", "-out", tls / "fullchain.pem"]
    subprocess.run(sign, check=True, capture_output=True)

    assert certificate.ends_within(tls / certificate.CHAIN, 2 * 24 * 3600)
    assert certificate.ensure(tls, authority, ["localhost"]) is False


def test_keys_are_for_owner_and_group_only_and_the_authoritys_for_its_owner(tls: Path, authority: Path) -> None:
    certificate.ensure(tls, authority, ["localhost"])

    assert stat.S_IMODE((tls / certificate.KEY).stat().st_mode) == 0o640
    assert stat.S_IMODE((authority / certificate.AUTHORITY_KEY).stat().st_mode) == 0o600
    assert not (tls / certificate.AUTHORITY_KEY).exists()
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls / certificate.CHAIN, tls / certificate.KEY)


def test_the_log_leaves_out_what_is_well_and_tells_of_what_is_not() -> None:
    assert access_log.is_quiet("/healthz", 200)
    assert access_log.is_quiet("/api/telemetry/bridge/relay", 200)
    assert not access_log.is_quiet("/api/telemetry/bridge/relay", 503)
    assert not access_log.is_quiet("/api/telemetry/ingest", 201)

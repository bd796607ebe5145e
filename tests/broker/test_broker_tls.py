"""TLS listeners of both brokers, client certificates, and a certificate that is renewed while the broker runs."""

import shutil
import socket
import ssl
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from croody_contract.mosquitto import BRIDGE_USER
from tests.broker.house import ALICE, CARLOS, ENGINES, Client, House, connect_packet, free_ports, running, wait_until

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed: apt install openssl")


class Authority:
    """A private CA made with the openssl program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.pem"
        usage = "-addext keyUsage=critical,keyCertSign,cRLSign"
        self._run(f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca {usage} -keyout ca.key -out ca.pem")

    def _run(self, arguments: str, text: str = "") -> None:
        subprocess.run(["openssl", *arguments.split()], cwd=self.folder, check=True, capture_output=True, input=text.encode(), timeout=30)

    def issue(self, name: str, file: str, key: str = "ec -pkeyopt ec_paramgen_curve:P-256") -> tuple[Path, Path]:
        """A certificate and its key for a common name."""
        self._run(f"req -newkey {key} -nodes -subj /CN={name} -keyout {file}.key -out {file}.csr")
        (self.folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
        self._run(f"x509 -req -in {file}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out {file}.pem")
        return self.folder / f"{file}.pem", self.folder / f"{file}.key"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


class TlsClient(Client):
    """A client that trusts the authority; `pair`: its own certificate and key."""

    def __init__(self, authority: Authority, port: int, user: str, pair: tuple[Path, Path] | None = None) -> None:
        certificate, key = (str(pair[0]), str(pair[1])) if pair else (None, None)
        self._trust: Callable[[mqtt.Client], None] = lambda paho: paho.tls_set(str(authority.ca), certificate, key)
        super().__init__(port, user)

    def before_connect(self) -> None:
        self._trust(self.paho)


def lets_in_without_certificate(authority: Authority, port: int) -> bool:
    context = ssl.create_default_context(cafile=str(authority.ca))
    try:
        with socket.create_connection(("127.0.0.1", port)) as sock, context.wrap_socket(sock, server_hostname="127.0.0.1") as tls:
            tls.sendall(connect_packet(ALICE))
            return tls.recv(4) == b"\x20\x02\x00\x00"
    except OSError:
        return False


def tls_house(engine: str, folder: Path, tls_port: int, certificate: Path, key: Path, *more: str) -> object:
    arguments = ["--tls-bind", f"127.0.0.1:{tls_port}", "--cert", str(certificate), "--key", str(key), *more]
    return running(engine, folder, free_ports(2), *arguments)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_robot_connects_over_tls_and_the_same_rules_hold(engine: str, tmp_path: Path, authority: Authority) -> None:
    [port] = free_ports(1)
    with tls_house(engine, tmp_path, port, *authority.issue("broker", "server")) as house:
        assert isinstance(house, House)
        bridge = house.bridge()
        for topic, payload in ((f"croody/v1/{CARLOS}/up/telemetry", b"forged"), (f"croody/v1/{ALICE}/up/telemetry", b"real")):
            alice = TlsClient(authority, port, ALICE)
            house.clients.append(alice)
            alice.up().publish(topic, payload)
            alice.close()
        assert bridge.next() == (f"croody/v1/{ALICE}/up/telemetry", b"real")


@pytest.mark.parametrize("engine", ENGINES)
def test_old_tls_is_refused(engine: str, tmp_path: Path, authority: Authority) -> None:
    [port] = free_ports(1)
    with tls_house(engine, tmp_path, port, *authority.issue("broker", "server")), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.create_default_context(cafile=str(authority.ca))
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", port)) as sock, pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(sock, server_hostname="127.0.0.1")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("suite", "let_in"), [("ECDHE-ECDSA-AES128-SHA", False), ("ECDHE-ECDSA-AES128-GCM-SHA256", True)])
def test_tls_1_2_offers_no_cbc(engine: str, suite: str, let_in: bool, tmp_path: Path, authority: Authority) -> None:
    [port] = free_ports(1)
    with tls_house(engine, tmp_path, port, *authority.issue("broker", "server")):
        context = ssl.create_default_context(cafile=str(authority.ca))
        context.set_ciphers(suite)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("127.0.0.1", port)) as sock:
            if let_in:
                with context.wrap_socket(sock, server_hostname="127.0.0.1") as tls:
                    assert tls.version() == "TLSv1.2"
            else:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    context.wrap_socket(sock, server_hostname="127.0.0.1")


@pytest.mark.parametrize("engine", ENGINES)
def test_tls_agrees_on_a_key_by_the_groups_of_the_intermediate_profile_only(engine: str, tmp_path: Path, authority: Authority) -> None:
    [port] = free_ports(1)

    def agreed(group: str) -> bool:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3", "-groups", group]
        told = subprocess.run(command, input=b"", capture_output=True, timeout=30, check=False).stdout
        return b"New, TLSv1.3, Cipher is TLS_" in told

    with tls_house(engine, tmp_path, port, *authority.issue("broker", "server")):
        assert {group: agreed(group) for group in ("X25519", "P-256", "P-384")} == {"X25519": True, "P-256": True, "P-384": True}
        assert not [group for group in ("P-521", "X448", "ffdhe2048") if agreed(group)]


def test_a_client_certificate_must_name_the_user(tmp_path: Path, authority: Authority) -> None:
    [port] = free_ports(1)
    with tls_house("amqtt", tmp_path, port, *authority.issue("broker", "server"), "--client-ca", str(authority.ca)) as house:
        assert isinstance(house, House)
        own = TlsClient(authority, port, ALICE, authority.issue(ALICE, "alice"))
        anothers = TlsClient(authority, port, ALICE, authority.issue(CARLOS, "carlos"))
        house.clients += [own, anothers]
        own.up()
        assert anothers.refused()
        assert not lets_in_without_certificate(authority, port)
        # The listener without TLS, on loopback, goes on without certificates.
        house.client(BRIDGE_USER).up()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_renewed_certificate_is_used_without_a_restart(engine: str, tmp_path: Path, authority: Authority) -> None:
    [port] = free_ports(1)
    certificate, key = authority.issue("before", "served")
    with tls_house(engine, tmp_path, port, certificate, key) as house:
        assert isinstance(house, House)

        def served() -> str:
            context = ssl.create_default_context(cafile=str(authority.ca))
            with socket.create_connection(("127.0.0.1", port)) as sock, context.wrap_socket(sock, server_hostname="127.0.0.1") as tls:
                subject = tls.getpeercert()["subject"]
            return dict(pair for part in subject for pair in part)["commonName"]

        assert served() == "before"
        alice = TlsClient(authority, port, ALICE)
        house.clients.append(alice)
        alice.up()
        if engine == "amqtt":
            key.write_text("half a file")
            assert wait_until(lambda: "the old one stays in use" in house.log())
            assert served() == "before"
        authority.issue("after", "served")
        assert wait_until(lambda: served() == "after")
        if engine == "amqtt":  # Mosquitto shows the old one until it is started again: docs/how-to/deploy-one-server.md says so
            authority.issue("another-kind-of-key", "served", "rsa:2048")
            assert wait_until(lambda: served() == "another-kind-of-key")
            authority.issue("and-back", "served")
            assert wait_until(lambda: served() == "and-back")
        assert not alice.gone.is_set()

"""Why a broker cannot be reached: every cause that a person can do something about names it."""

import errno
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from croody_edge.link import remedies
from croody_edge.link.address import BrokerAddress

BROKER = BrokerAddress("robots.example", 8883, tls=True)
NOW = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)


def distrusted(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("code", "ca_file", "remedy"),
    [
        (9, None, "this board's clock, 1970-01-01 00:05 UTC: set the clock"),
        (10, None, "the certificate ended"),
        (18, None, "name the site's authority"),
        (20, Path("/ca/ca.pem"), "CROODY_CA_FILE (/ca/ca.pem) did not sign it"),
        (62, None, "CROODY_DOMAIN=robots.example"),
        (64, None, "CROODY_DOMAIN=robots.example"),
    ],
)
def test_a_certificate_that_is_not_trusted_needs_a_hand_and_says_which(code: int, ca_file: Path | None, remedy: str) -> None:
    reason = remedies.of_error(distrusted(code), BROKER, ca_file, NOW)

    assert "certificate verify failed" in reason.text
    assert remedy in reason.text
    assert reason.by_hand


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (socket.gaierror(-2, "Name or service not known"), "nobody knows the name robots.example"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "nobody listens at robots.example:8883"),
        (TimeoutError("timed out"), "open in its firewall"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "is its network up?"),
        (OSError(errno.EPIPE, "Broken pipe"), "Broken pipe"),
        (ValueError(), "ValueError"),
    ],
)
def test_what_may_pass_by_itself_says_where_to_look(error: Exception, remedy: str) -> None:
    reason = remedies.of_error(error, BROKER, None, NOW)

    assert remedy in reason.text
    assert not reason.by_hand


def test_a_port_without_tls_is_told_from_one_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as plain:
        end, _ = listener.accept()
        with end:
            end.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            with pytest.raises(ssl.SSLError) as refused:
                ssl.create_default_context().wrap_socket(plain, server_hostname="robots.example")

    assert "8883 as a rule" in remedies.of_error(refused.value, BROKER, None, NOW).text


def test_a_broker_that_is_starting_is_no_fault_of_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as plain:
        end, _ = listener.accept()
        end.shutdown(socket.SHUT_WR)  # as a port that Docker forwards does while nobody is behind it
        with end, pytest.raises(ssl.SSLError) as cut:
            ssl.create_default_context().wrap_socket(plain, server_hostname="robots.example")
    reset = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
    for reason in (
        remedies.of_error(cut.value, BROKER, None, NOW),
        remedies.of_error(reset, BROKER, None, NOW),
        remedies.of_silence(BrokerAddress("robots.example", 1883)),
    ):
        assert "the broker may be starting" in reason.text
        assert not reason.by_hand, "it passes by itself"


def test_a_port_with_tls_that_is_spoken_to_without_is_told() -> None:
    assert "mqtts://" in remedies.of_silence(BrokerAddress("robots.example", 8883)).text
    assert "mqtts://" not in remedies.of_silence(BROKER).text
    assert "mqtts://" not in remedies.of_silence(BrokerAddress("robots.example", 80, path="/mqtt")).text


def test_a_refusal_that_will_pass_does_not_ask_for_a_new_secret() -> None:
    assert "rotate" not in remedies.of_refusal("Server unavailable", "rover-alice").text
    assert "croody robot rotate rover-alice" in remedies.of_refusal("Not authorized", "rover-alice").text

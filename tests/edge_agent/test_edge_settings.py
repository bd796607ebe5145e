"""The environment, read once: what is accepted, and what a person is told who got it wrong."""

from pathlib import Path

import pytest

from croody_edge.link.address import BrokerAddress, parse_brokers
from croody_edge.settings import from_environment
from croody_edge.variables import BadSetting

GOOD = {"ROBOT_ID": "rover-alice", "ROBOT_SECRET": "s3cret"}


def test_a_name_and_a_secret_are_enough() -> None:
    found = from_environment(GOOD)
    assert (found.robot_id, found.secret, found.source, found.qos, found.keepalive_s) == ("rover-alice", "s3cret", "host", 1, 20)
    assert found.brokers == (BrokerAddress("127.0.0.1", 1883),)
    assert not found.http


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(from_environment(GOOD | {"TG_INGEST_TOKEN": "t0ken"}))
    assert "t0ken" not in repr(from_environment(GOOD | {"TG_INGEST_TOKEN": "t0ken"}))


def test_a_value_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-a-file\n", encoding="utf-8")
    assert from_environment({"ROBOT_ID": "rover-alice", "ROBOT_SECRET_FILE": str(file)}).secret == "from-a-file"
    with pytest.raises(BadSetting, match="both set: keep one"):
        from_environment(GOOD | {"ROBOT_SECRET_FILE": str(file)})
    with pytest.raises(BadSetting, match="cannot be read"):
        from_environment({"ROBOT_ID": "rover-alice", "ROBOT_SECRET_FILE": str(tmp_path / "nothing")})


def test_several_brokers_may_be_named() -> None:
    assert parse_brokers("mqtt://a:1, mqtts://b,mqtts://[::1]:8884/") == (
        BrokerAddress("a", 1),
        BrokerAddress("b", 8883, tls=True),
        BrokerAddress("::1", 8884, tls=True),
    )


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("wss://robots.example.org/mqtt", BrokerAddress("robots.example.org", 443, tls=True, path="/mqtt")),
        ("wss://Robots.Example.org", BrokerAddress("robots.example.org", 443, tls=True, path="/mqtt")),
        ("wss://robots.example.org/", BrokerAddress("robots.example.org", 443, tls=True, path="/")),
        ("wss://robots.example.org:8443/a/b%20c", BrokerAddress("robots.example.org", 8443, tls=True, path="/a/b%20c")),
        ("ws://10.0.0.7/mqtt", BrokerAddress("10.0.0.7", 80, path="/mqtt")),
        ("ws://[::1]:9001/mqtt", BrokerAddress("::1", 9001, path="/mqtt")),
        ("ws://a:443/mqtt", BrokerAddress("a", 443, path="/mqtt")),
        ("mqtts://[fd00::7]", BrokerAddress("fd00::7", 8883, tls=True)),
    ],
)
def test_an_address_may_lead_through_a_gateway_and_is_written_as_it_is_read(text: str, address: BrokerAddress) -> None:
    assert parse_brokers(text) == (address,)
    assert parse_brokers(str(address)) == (address,)


def test_kinds_of_addresses_may_be_mixed() -> None:
    mixed = "mqtts://a:8883,wss://a/mqtt,mqtt://b:1883"
    assert ",".join(map(str, parse_brokers(mixed))) == mixed
    assert [broker.path for broker in from_environment(GOOD | {"CROODY_BROKER_URL": mixed}).brokers] == ["", "/mqtt", ""]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ROBOT_ID", "", "ROBOT_ID is missing"),
        ("ROBOT_ID", "a b c", "ROBOT_ID.*letters, digits"),
        ("ROBOT_ID", "x", "3 to 64"),
        ("ROBOT_SECRET", "", "ROBOT_SECRET is missing.*croody robot add rover-alice"),
        ("CROODY_BROKER_URL", "broker:1883", "'broker:1883' is no address: give mqtt://HOST:PORT"),
        ("CROODY_BROKER_URL", "http://broker", "no address"),
        ("CROODY_BROKER_URL", "mqtt://alice:pw@broker", "carries no credentials"),
        ("CROODY_BROKER_URL", "mqtt://broker:99999", "no address"),
        ("CROODY_BROKER_URL", "https://broker/mqtt", "no address: give mqtt://HOST:PORT, .*wss://HOST:PORT/PATH"),
        ("CROODY_BROKER_URL", "mqtt://broker/mqtt", "has a path, which only ws:// and wss:// know"),
        ("CROODY_BROKER_URL", "wss://alice:pw@broker/mqtt", "carries no credentials"),
        ("CROODY_BROKER_URL", "wss://broker/mqtt?token=x", "no address"),
        ("CROODY_BROKER_URL", "wss://broker/my path", "visible ASCII: write other letters as %XX"),
        ("CROODY_BROKER_URL", "wss:///mqtt", "no address"),
        ("CROODY_BROKER_URL", " , ", "no address in it"),
        ("CROODY_CA_FILE", "/nowhere/ca.pem", "'/nowhere/ca.pem': there is no such file"),
        ("CROODY_QOS", "2", "CROODY_QOS is '2': it must lie between 0 and 1"),
        ("CROODY_KEEPALIVE_S", "soon", "whole number"),
        ("CROODY_INTERVAL_S", "nan", "number, such as 2.5"),
        ("CROODY_OUTBOX_LIMIT_BYTES", "1000", "between 1048576"),
        ("CROODY_BATCH_RECORDS", "501", "between 1 and 500"),
        ("CROODY_LOG_LEVEL", "LOUD", "DEBUG, INFO"),
        ("TELEMETRY_INGEST_URL", "ftp://x", "http://HOST"),
    ],
)
def test_an_error_names_the_variable_the_rule_and_the_remedy(name: str, value: str, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        from_environment(GOOD | {name: value})


def test_a_secret_that_breaks_a_rule_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as error:
        from_environment(GOOD | {"CROODY_BROKER_URL": "mqtt://alice:hunter22@broker"})
    assert "carries no credentials" in str(error.value)


def test_over_http_a_robot_needs_neither_secret_nor_mqtt_name() -> None:
    found = from_environment({"TELEMETRY_INGEST_URL": "http://127.0.0.1:9000/api/telemetry/ingest"})
    assert (found.robot_id, found.http) == ("robot-clases", True)
    assert from_environment({"TELEMETRY_INGEST_URL": "http://x", "ROBOT_ID": "robot número 1"}).robot_id == "robot número 1"

"""What `make up` was asked for, and what it answers when that cannot be."""

import http.server
import os
import socket
import threading
from pathlib import Path

import pytest

from tools.claims import announce, check_ports, claim_state
from tools.stack import Options, Ports
from tools.words import Problem, spanish


def test_nothing_asked_for_gives_three_robots_on_embedded_parts(tmp_path: Path) -> None:
    options = Options.from_environ(tmp_path, {})
    assert (options.database, options.broker, options.bridge_names) == ("sqlite", "amqtt", ["bridge"])
    assert options.robot_ids == ["robot-clases", "amr-02", "amr-03"]


def test_the_fleet_grows_by_a_variable(tmp_path: Path) -> None:
    options = Options.from_environ(tmp_path, {"ROBOTS": "20", "DB": "postgres", "BROKER": "mosquitto", "BRIDGES": "2"})
    assert options.robot_ids[-1] == "amr-20"
    assert len(options.robot_ids) == len(set(options.robot_ids)) == 20
    assert (options.database, options.broker, options.bridge_names) == ("postgres", "mosquitto", ["bridge", "bridge-2"])


@pytest.mark.parametrize(
    "environ",
    [
        {"DB": "oracle"},
        {"BROKER": "emqx"},
        {"ROBOTS": "many"},
        {"ROBOTS": "-1"},
        {"BRIDGES": "0"},
        {"WEB_PORT": "80000"},
        {"WEB_PORT": "x"},
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(tmp_path: Path, environ: dict[str, str]) -> None:
    [(name, value)] = environ.items()
    with pytest.raises(Problem, match=f"{name}={value}"):
        Options.from_environ(tmp_path, environ)


def test_two_roles_cannot_have_one_port(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"WEB_PORT .* IDS_PORT .* 9100"):
        Options.from_environ(tmp_path, {"WEB_PORT": "9100"})


def test_the_host_has_a_name_that_mqtt_can_carry(tmp_path: Path) -> None:
    from croody_contract.topics import check_robot_id

    assert check_robot_id(Options(tmp_path).host_id).startswith("host-")


def test_a_taken_port_is_named_with_who_holds_it_and_the_variable_that_moves_it() -> None:
    ports = Ports.free()
    with http.server.HTTPServer(("127.0.0.1", ports.web), http.server.BaseHTTPRequestHandler):
        with pytest.raises(Problem) as caught:
            check_ports(ports)
        text = str(caught.value)
    assert f"Port {ports.web}" in text
    assert f"process {os.getpid()}" in text
    assert "WEB_PORT=" in text
    assert "MQTT_PORT" not in text


def test_a_port_held_on_every_address_is_taken_too() -> None:
    ports = Ports.free()
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::", ports.mqtt))
        listener.listen()
        with pytest.raises(Problem, match=f"Port {ports.mqtt}"):
            check_ports(ports)


def test_free_ports_raise_nothing() -> None:
    check_ports(Ports.free())


def test_a_second_up_in_the_same_clone_is_told_about_the_first(tmp_path: Path) -> None:
    with claim_state(tmp_path) as lock:
        announce(lock, "http://127.0.0.1:8000/")
        with pytest.raises(Problem, match=rf"process {os.getpid()}\): http://127.0.0.1:8000/"):
            claim_state(tmp_path)
    claim_state(tmp_path).close()


def test_the_terminal_language_decides_the_words() -> None:
    assert spanish({"LANG": "es_ES.UTF-8"})
    assert not spanish({"LANG": "es_ES.UTF-8", "LC_ALL": "C"})
    assert spanish({"LC_MESSAGES": "es_MX", "LANG": "en_GB.UTF-8"})
    assert not spanish({})


def test_free_ports_are_all_different() -> None:
    found: set[int] = set()

    def take() -> None:
        ports = Ports.free()
        assert len({ports.web, ports.telemetry, ports.ids, ports.mqtt, ports.robot}) == 5
        found.add(ports.web)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found

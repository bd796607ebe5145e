"""What balena's parsers and its supervisor refuse, ours refuses before anybody pushes it; each key by itself."""

import copy
from typing import Any

import pytest
import yaml

from tools.balena.dialect import DENIED, findings
from tools.balena.lint import BALENA, complaints

#: Table of the lists -> where in a good file a key of it would stand.
PLACES = {
    "top": (),
    "service": ("services", "agent"),
    "build": ("services", "agent", "build"),
    "healthcheck": ("services", "agent", "healthcheck"),
    "network": ("networks", "inside"),
    "volume": ("volumes", "outbox"),
}


def good() -> dict[str, Any]:
    return {
        "version": "2.4",
        "services": {"agent": {"build": {"context": "."}, "healthcheck": {"interval": "30s"}, "volumes": ["outbox:/data"]}},
        "networks": {"inside": {}},
        "volumes": {"outbox": {}},
    }


def changed(place: tuple[str, ...], key: str, value: object) -> dict[str, Any]:
    node = whole = copy.deepcopy(good())
    for name in place:
        node = node[name]
    node[key] = value
    return whole


def test_our_own_file_is_in_the_dialect() -> None:
    assert complaints(BALENA) == []
    assert findings(good()) == []


DENIED_KEYS = sorted({(table, key) for table in PLACES for keys in DENIED[table].values() for key in keys})


@pytest.mark.parametrize(("table", "key"), DENIED_KEYS)
def test_a_denied_key_is_named_with_its_place_and_who_trips_over_it(table: str, key: str) -> None:
    (found,) = findings(changed(PLACES[table], key, "anything"))
    assert found.startswith(".".join((*PLACES[table], key)) + ": ")
    assert all(who in found for who, keys in DENIED[table].items() if key in keys)


@pytest.mark.parametrize("place", PLACES.values())
def test_extensions_are_refused_everywhere(place: tuple[str, ...]) -> None:
    (found,) = findings(changed(place, "x-common", {}))
    assert "x-common: extensions" in found


AGENT = PLACES["service"]


@pytest.mark.parametrize(
    ("place", "key", "value", "said"),
    [
        ((), "version", 2.4, "in quotes"),
        ((), "version", "3.8", "'3.8'"),
        ((), "services", {}, "there is none"),
        (("services",), "idle", {"restart": "always"}, "neither build nor image"),
        (AGENT, "helthcheck", {}, "nobody knows it"),
        (AGENT, "environment", {"ROBOT_ID": "${ROBOT_ID}"}, "dollar sign"),
        (AGENT, "command", ["sh", "-c", "echo $$HOME"], "dollar sign"),
        (AGENT, "volumes", ["./outbox:/data"], "named volume"),
        (AGENT, "volumes", ["/var/run/docker.sock:/var/run/docker.sock"], "named volume"),
        (AGENT, "volumes", [{"type": "volume", "source": "outbox", "target": "/data"}], "short form"),
        (AGENT, "volumes", ["/data"], "named volume"),
        (AGENT, "volumes", ["other:/data"], "not among the file's volumes"),
        (AGENT, "tmpfs", ["/tmp:mode=1777,size=16m"], "path alone"),
        (AGENT, "tmpfs", "/tmp:size=16m", "path alone"),
        (AGENT, "devices", ["/dev/ttyUSB0"], "same on both sides"),
        (AGENT, "devices", ["/dev/ttyUSB0:/dev/robot"], "same on both sides"),
        (AGENT, "devices", ["vendor.com/class=name"], "by its path"),
        (AGENT, "security_opt", ["label:disable"], "only no-new-privileges"),
        (AGENT, "network_mode", "container:abc", "no container of others"),
        (AGENT, "pid", "container:abc", "no container of others"),
        (AGENT, "ipc", "service:other", "no container of others"),
        (AGENT, "depends_on", {"other": {"condition": "service_healthy"}}, "a list of names"),
        (AGENT, "labels", ["a=b"], "NAME: value"),
        (AGENT, "labels", {"with space": "1"}, "letters, digits"),
        (AGENT, "labels", {"io.balena.update.strategy": "hand-over"}, "takes no update lock"),
    ],
)
def test_what_a_list_of_keys_cannot_say_is_a_rule(place: tuple[str, ...], key: str, value: object, said: str) -> None:
    (found,) = findings(changed(place, key, value))
    assert said in found


@pytest.mark.parametrize("whole", [None, [], "version: '2.4'", 7])
def test_a_file_that_is_no_mapping_is_said(whole: object) -> None:
    assert findings(whole) == ["it is no mapping: begin with version: '2.4'"]


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("balena.yml", "type: sw.application", "type: sw.block", "sw.application"),
        ("balena.yml", "version: ", "version: v", "semver.org"),
        ("balena.yml", "defaultDeviceType: raspberrypi4-64", "defaultDeviceType: raspberrypi3", "supportedDeviceTypes"),
        ("contract.yml", "type: sw.container", "type: sw.application", "sw.container"),
        ("contract.yml", "slug: croody-edge", "slug: ''", "slug is missing"),
        ("docker-compose.yml", "version: '2.4'", "version: '2.4'\nname: croody", "name: "),
    ],
)
def test_the_files_beside_it_are_held_to_their_promises(tmp_path: Any, name: str, before: str, after: str, said: str) -> None:
    for file in BALENA.glob("*.yml"):
        (tmp_path / file.name).write_text(file.read_text().replace(before, after, 1) if file.name == name else file.read_text())
    (found,) = complaints(tmp_path)
    assert found.startswith(f"{name}: ")
    assert said in found


def test_no_service_ever_hands_over_and_each_is_locked_down() -> None:
    services = yaml.safe_load((BALENA / "docker-compose.yml").read_text())["services"]
    for service in services.values():
        assert service["labels"]["io.balena.update.strategy"] == "download-then-kill"
        assert (service["read_only"], service["cap_drop"], sorted(service["cap_add"])) == (True, ["ALL"], ["SETGID", "SETUID"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["healthcheck"]["test"]
        assert not service.get("privileged")

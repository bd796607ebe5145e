"""Whether a compose file keeps to what both of balena's parsers and the device's supervisor take. Pure; the lists are in `denied.toml`."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

#: Table -> who trips over it -> keys.
DENIED: Final[dict[str, dict[str, list[str]]]] = tomllib.loads(Path(__file__).with_name("denied.toml").read_text(encoding="utf-8"))
VERSION: Final = "2.4"
_DEVICE: Final = re.compile(r"(/dev/[\w./-]+):\1")
_VOLUME: Final = re.compile(r"([a-zA-Z0-9][\w.-]*):(/[^:]+)(:ro)?")
#: One parser replaces variables, the other leaves them as they stand.
_DOLLAR: Final = "$"

Node = Mapping[str, Any]


def findings(composition: object) -> list[str]:
    """What is wrong, one line each with the place, the rule and the remedy; none when balena takes the file.

    Args:
        composition: the file as YAML reads it.
    """
    if not isinstance(composition, Mapping):
        return ["it is no mapping: begin with version: '2.4'"]
    found = [*_top(composition), *_dollars(composition, "")]
    services, volumes = _node(composition, "services"), _node(composition, "volumes")
    for name, service in services.items():
        found += _service(f"services.{name}", service if isinstance(service, Mapping) else {}, set(volumes))
    for table, nodes in (("network", _node(composition, "networks")), ("volume", volumes)):
        for name, node in nodes.items():
            found += _keys(f"{table}s.{name}", node if isinstance(node, Mapping) else {}, table)
    return found


def _top(composition: Node) -> Iterator[str]:
    if composition.get("version") != VERSION:
        yield f"version is {composition.get('version')!r}: write version: '{VERSION}', in quotes, which both parsers know"
    yield from _keys("", composition, "top")
    if not _node(composition, "services"):
        yield "services: there is none"


def _service(place: str, service: Node, volumes: set[str]) -> Iterator[str]:
    yield from _keys(place, service, "service")
    if not service.get("build") and not service.get("image"):
        yield f"{place}: neither build nor image"
    yield from _keys(f"{place}.build", _node(service, "build"), "build")
    yield from _keys(f"{place}.healthcheck", _node(service, "healthcheck"), "healthcheck")
    yield from _volumes(f"{place}.volumes", service.get("volumes"), volumes)
    yield from _tmpfs(f"{place}.tmpfs", service.get("tmpfs"))
    for device in _list(service.get("devices")):
        if not _DEVICE.fullmatch(str(device)):
            yield f"{place}.devices: {device}: name a device by its path, the same on both sides: /dev/ttyUSB0:/dev/ttyUSB0"
    for option in _list(service.get("security_opt")):
        if option not in DENIED["allowed"]["security_opt"]:
            yield f"{place}.security_opt: {option}: only {', '.join(DENIED['allowed']['security_opt'])}"
    yield from _references(place, service)
    yield from _labels(f"{place}.labels", service.get("labels"))


def _volumes(place: str, mounts: object, volumes: set[str]) -> Iterator[str]:
    for mount in _list(mounts):
        found = _VOLUME.fullmatch(mount) if isinstance(mount, str) else None
        if found is None:
            yield f"{place}: {mount}: a named volume in its short form, NAME:/PATH; a board has nothing of yours to bind"
        elif found[1] not in volumes:
            yield f"{place}: {mount}: {found[1]} is not among the file's volumes"


def _tmpfs(place: str, mounts: object) -> Iterator[str]:
    for mount in [mounts] if isinstance(mounts, str) else _list(mounts):
        if not isinstance(mount, str) or ":" in mount:
            yield f"{place}: {mount}: the path alone; the supervisor takes options for a part of it"


def _references(place: str, service: Node) -> Iterator[str]:
    """What names another container by its id, or waits for more than that another one was started."""
    for key in ("network_mode", "pid", "ipc"):
        if str(service.get(key, "")).partition(":")[0] == "container" or (key == "ipc" and str(service.get(key)).startswith("service:")):
            yield f"{place}.{key}: {service[key]}: no container of others"
    after = service.get("depends_on")
    if after is not None and not isinstance(after, list):
        yield f"{place}.depends_on: a list of names; the supervisor waits for a start and for nothing else"


def _labels(place: str, labels: object) -> Iterator[str]:
    if labels is None:
        return
    if not isinstance(labels, Mapping):
        yield f"{place}: write NAME: value"
        return
    for name in labels:
        if not re.fullmatch(r"[a-zA-Z0-9.-]+", str(name)):
            yield f"{place}.{name}: letters, digits, dots and dashes only"
    strategy = labels.get("io.balena.update.strategy", DENIED["allowed"]["strategies"][0])
    if strategy not in DENIED["allowed"]["strategies"]:
        yield f"{place}: {strategy}: it takes no update lock and runs two agents on one outbox; write download-then-kill"


def _keys(place: str, node: Node, table: str) -> Iterator[str]:
    for key in node:
        dotted = f"{place}.{key}".lstrip(".")
        if str(key).startswith("x-"):
            yield f"{dotted}: extensions are not for a file that two parsers read; write it out"
        who = [name for name, keys in DENIED[table].items() if key in keys]
        if who:
            yield f"{dotted}: {_WHY[who[0]]} ({', '.join(who)}); leave it out"
        elif key not in DENIED["allowed"].get(table, [key]) and not str(key).startswith("x-"):
            yield f"{dotted}: nobody knows it; look for a slip of the pen"


_WHY: Final = {
    "compose": "the schema of version 2.4 does not have it",
    "compose-parser": "balena's newer parser refuses it",
    "new": "boards in the field refuse a release that has it",
    "supervisor": "the device's supervisor ignores it",
}


def _dollars(node: object, place: str) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _dollars(value, f"{place}.{key}".lstrip("."))
    elif isinstance(node, list):
        for value in node:
            yield from _dollars(value, place)
    elif _DOLLAR in str(node):
        yield f"{place}: {node}: one parser replaces what a dollar sign begins, the other does not; write it without"


def _node(node: Node, key: str) -> Node:
    found = node.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

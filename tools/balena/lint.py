"""Holds `balena/` to what balena takes: the compose file to its dialect, contract and description to their form. Opens three files."""

import re
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from tools.balena.dialect import findings
from tools.stack import ROOT

BALENA: Final = ROOT / "balena"
#: As semver.org has it, without build metadata: balena adds its own.
_SEMVER: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")


def main() -> int:
    """Print what was found; the exit status is 0 when that is nothing."""
    found = complaints(BALENA)
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


def complaints(folder: Path) -> list[str]:
    """Everything that is wrong with the folder, each with its file."""
    compose, about, contract = (_read(folder / name) for name in ("docker-compose.yml", "balena.yml", "contract.yml"))
    return [
        *(f"docker-compose.yml: {line}" for line in findings(compose)),
        *(f"balena.yml: {line}" for line in _about(about)),
        *(f"contract.yml: {line}" for line in _contract(contract)),
    ]


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _about(about: dict[str, Any]) -> list[str]:
    found = []
    if about.get("type") != "sw.application":
        found.append(f"type is {about.get('type')!r}: write sw.application")
    if not _SEMVER.fullmatch(str(about.get("version"))):
        found.append(f"version is {about.get('version')!r}: write a version as semver.org has it, such as 1.2.3")
    boards = about.get("data", {}).get("supportedDeviceTypes", [])
    default = about.get("data", {}).get("defaultDeviceType")
    if default not in boards:
        found.append(f"data.defaultDeviceType is {default!r}: write one of supportedDeviceTypes")
    return found


def _contract(contract: dict[str, Any]) -> list[str]:
    found = [f"{key} is missing" for key in ("name", "type", "slug") if not contract.get(key)]
    if contract.get("type") != "sw.container":
        found.append(f"type is {contract.get('type')!r}: write sw.container")
    return found


if __name__ == "__main__":
    sys.exit(main())

"""What a package says it needs is what is installed for it: who installs it alone gets all of it."""

import re
import tomllib

import pytest

from tools.stack import ROOT

#: File of requirements -> the package whose they are.
PACKAGES = {"contract": "contract", "edge": "edge_agent", "broker": "broker", "cloud": "cloud"}
#: Asked for by nobody of ours: it only keeps another package's choice in bounds.
BOUNDS = {"backports-strenum"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _names(lines: list[str]) -> set[str]:
    return {found[0].lower() for line in lines if (found := _NAME.match(line))}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_names_all_that_is_installed_for_it(name: str):
    wanted = (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    project = tomllib.loads((ROOT / PACKAGES[name] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert _names(wanted) - BOUNDS == _names(project["dependencies"]) - {"croody-contract"}

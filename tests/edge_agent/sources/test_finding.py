"""A source is found by its name among the entry points of whatever is installed."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from croody_edge.settings import Settings
from croody_edge.sources import PullSource, PushSource, open_source
from croody_edge.variables import BadSetting

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A function that puts a package with one source where Python finds packages, as pip would."""

    def put(package: str, name: str, code: str) -> None:
        folder = tmp_path / package
        info = folder / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[croody.sources]\n{name} = {package}_source:open_source\n", encoding="utf-8")
        (folder / f"{package}_source.py").write_text(code, encoding="utf-8")
        monkeypatch.syspath_prepend(str(folder))

    yield put
    for module in [name for name in sys.modules if name.endswith("_source") and name.startswith("test")]:
        del sys.modules[module]


def of(name: str, folder: Path) -> Settings:
    return Settings("rover-alice", folder, source=name)


def test_those_that_ship_are_found_by_name(tmp_path: Path) -> None:
    for name in ("host", "replay", "sim"):
        source = open_source(of(name, tmp_path), {})
        assert isinstance(source, PullSource)
        assert not isinstance(source, PushSource)
        source.close()


def test_an_unknown_name_is_refused_with_those_that_are_there(tmp_path: Path, install: Install) -> None:
    install("testlathe", "lathe", "")
    with pytest.raises(BadSetting, match="CROODY_SOURCE is 'crystal-ball': it must be one of host, lathe, replay, sim"):
        open_source(of("crystal-ball", tmp_path), {})


def test_a_package_of_somebody_elses_adds_one_with_variables_of_its_own(tmp_path: Path, install: Install) -> None:
    install(
        "testlathe",
        "lathe",
        "class Lathe:\n"
        "    def __init__(self, settings, variables):\n"
        "        self.interval_s = settings.interval_s\n"
        "        self.device = variables.text('LATHE_DEVICE', '/dev/ttyUSB0')\n"
        "    def read(self, now): return None\n"
        "    def close(self): pass\n"
        "open_source = Lathe\n",
    )
    source = open_source(of("lathe", tmp_path), {"LATHE_DEVICE": "/dev/ttyUSB7"})
    assert isinstance(source, PullSource)
    assert (source.interval_s, vars(source)["device"]) == (1.0, "/dev/ttyUSB7")


@pytest.mark.parametrize(("code", "why"), [("import no_such_library", "No module named 'no_such_library'"), ("open = 1", "open_source")])
def test_a_source_that_cannot_be_loaded_is_named_with_its_package(tmp_path: Path, install: Install, code: str, why: str) -> None:
    install("testlathe", "lathe", code)
    with pytest.raises(BadSetting, match=f"testlathe_source:open_source of the package testlathe cannot be loaded .*{why}"):
        open_source(of("lathe", tmp_path), {})


def test_two_packages_with_one_name_are_refused_rather_than_guessed_between(tmp_path: Path, install: Install) -> None:
    install("testlathe", "lathe", "")
    install("testturner", "lathe", "")
    with pytest.raises(BadSetting, match=r"2 packages have \(testlathe, testturner\): keep one"):
        open_source(of("lathe", tmp_path), {})

"""A source is found by its name among the entry points of whatever is installed."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from croody_edge.settings import Settings
from croody_edge.sources import PullSource, PushSource
from croody_edge.sources.config import Chosen, choose
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


def from_file(folder: Path, text: str) -> Chosen:
    (folder / "sources.toml").write_text(text, encoding="utf-8")
    return choose(of("host", folder), {})


def test_those_that_ship_are_found_by_name(tmp_path: Path) -> None:
    for name in ("host", "replay", "sim"):
        (one,) = choose(of(name, tmp_path), {}).sources
        source = one.opens()
        assert isinstance(source, PullSource)
        assert not isinstance(source, PushSource)
        source.close()


def test_an_unknown_name_is_refused_with_those_that_are_there(tmp_path: Path, install: Install) -> None:
    install("testlathe", "lathe", "")
    with pytest.raises(BadSetting, match=r"CROODY_SOURCE is 'crystal-ball': it must be one of .*host, lathe, .*replay, .*sim"):
        choose(of("crystal-ball", tmp_path), {})


LATHE = """
from typing import Literal
from croody_edge.sources import SourceSettings
class LatheSettings(SourceSettings, frozen=True):
    device: str = '/dev/ttyUSB0'
    baud: int = 9600
    mode: Literal['fast', 'slow'] = 'slow'
    loud: bool = False
    password: str = ''
class Lathe:
    Settings = LatheSettings
    def __init__(self, own, context):
        self.own, self.context, self.interval_s = own, context, own.interval_s
    def read(self, now): return None
    def close(self): pass
open_source = Lathe
"""


def test_a_package_of_somebody_elses_adds_one_with_variables_of_its_own(tmp_path: Path, install: Install) -> None:
    install("testlathe", "lathe", LATHE)
    (one,) = choose(of("lathe", tmp_path), {"CROODY_LATHE_DEVICE": "/dev/ttyUSB7", "CROODY_LATHE_LOUD": "sí"}).sources
    source = one.opens()
    assert isinstance(source, PullSource)
    own = vars(source)["own"]
    assert (source.interval_s, own.device, own.baud, own.loud) == (1.0, "/dev/ttyUSB7", 9600, True)
    assert vars(source)["context"].name == "lathe"
    with pytest.raises(BadSetting, match="CROODY_LATHE_BAUD is 'many': it must be a whole number"):
        choose(of("lathe", tmp_path), {"CROODY_LATHE_BAUD": "many"})


def test_a_file_names_several_sources_and_its_settings_keep_their_types(tmp_path: Path, install: Install) -> None:
    install("testlathe", "lathe", LATHE)
    (tmp_path / "pw").write_text("s3cret\n", encoding="utf-8")
    chosen = from_file(
        tmp_path,
        f"""
        [source.left]
        kind = "lathe"
        baud = 115200
        password_file = "{tmp_path / "pw"}"
        [source.left.report]
        prefix = "left_"
        [source.left.metrics.oil_temp_c]
        from = "oil"
        unit = "°C"
        [source.host]
        interval_s = 10
        [source.sim]
        enabled = false
        """,
    )
    assert [one.name for one in chosen.sources] == ["left", "host"]
    assert chosen.problems == []
    left = chosen.sources[0]
    own = vars(left.opens())["own"]
    assert (own.baud, own.password, own.interval_s) == (115200, "s3cret", 1.0)
    assert (left.report.prefix, left.infos[0].unit) == ("left_", "°C")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("baud = 'many'", "[source.lathe] baud is 'many': it must be a whole number"),
        ("baud = 1.5", "[source.lathe] baud is 1.5: it must be a whole number"),
        ("baud = true", "[source.lathe] baud is True: it must be a whole number"),
        ("mode = 'odd'", "[source.lathe] mode is 'odd': it must be one of fast, slow"),
        ("interval_s = nan", "[source.lathe] interval_s is nan: it must be a number"),
        ("interval_s = 0", "[source.lathe] interval_s is 0: it must be a number, such as 2.5; it must lie between 0.001 and 86400"),
        ("speed = 1", "[source.lathe] speed: there is no such setting; there are baud, device, interval_s, loud, mode, password"),
        ("password = 7", "[source.lathe] password is a secret: it must be a text"),
        ("password_file = '/nowhere'", "[source.lathe] password_file is '/nowhere', which cannot be read"),
        ("metrics = 3", "[source.lathe] metrics is 3: it must be a table"),
        ("metrics.t = 3", "[source.lathe.metrics] t is 3: it must be a table"),
        ("kind = 'lath'", "[source.lathe] kind is 'lath': it must be one of"),
        ("metrics.t.scale = 'x'", "[source.lathe.metrics.t] scale is 'x': it must be a number"),
        ("metrics.t.scale = inf", "[source.lathe.metrics.t] scale is inf: it must be a number"),
        ("report.rate = 3", "[source.lathe.report] rate: there is no such setting; there are at_least_every_s"),
    ],
)
def test_what_is_wrong_with_one_source_is_said_with_its_place_and_the_others_run(
    tmp_path: Path, install: Install, table: str, said: str
) -> None:
    install("testlathe", "lathe", LATHE)
    chosen = from_file(tmp_path, f"[source.lathe]\n{table}\n[source.host]\n")
    assert [one.name for one in chosen.sources] == ["host"]
    assert f"sources.toml {said}" in chosen.problems[0]
    with pytest.raises(BadSetting):
        from_file(tmp_path, f"[source.lathe]\n{table}\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[source", "cannot be read"),
        ("", "'source' does not belong there"),
        ("[sources.host]", "'sources' does not belong there: each source is a table"),
        ("source = 1", "each source is a table"),
        ("\n".join(f"[source.h{n}]\nkind='host'" for n in range(33)), "has 33 sources: up to 32"),
        ("[source.'a b']\nkind='host'", "a source is called 'a b'"),
        ("[source.host]\nenabled=false", "no source in it is enabled"),
        ("# " + "x" * 2**20, "larger than 1 MiB"),
        ("x = " + "[" * 5000, "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused_with_what_it_should_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        from_file(tmp_path, text)


@pytest.mark.parametrize(("code", "why"), [("import no_such_library", "No module named 'no_such_library'"), ("open = 1", "open_source")])
def test_a_source_that_cannot_be_loaded_is_named_with_its_package(tmp_path: Path, install: Install, code: str, why: str) -> None:
    install("testlathe", "lathe", code)
    with pytest.raises(BadSetting, match=f"testlathe_source:open_source of the package testlathe cannot be loaded .*{why}"):
        choose(of("lathe", tmp_path), {})


def test_a_kind_whose_library_is_not_there_is_told_with_the_extra_that_brings_it(tmp_path: Path, install: Install) -> None:
    install("testlathe", "lathe", "import no_such_library")
    with (tmp_path / "testlathe" / "testlathe-1.0.dist-info" / "METADATA").open("a", encoding="utf-8") as file:
        file.write("Provides-Extra: lathe\n")
    with pytest.raises(BadSetting, match=r"pip install 'testlathe\[lathe\]'$"):
        choose(of("lathe", tmp_path), {})
    # Ours is in no registry: somebody else's might be, under its name.
    file = tmp_path / "testlathe" / "testlathe-1.0.dist-info" / "METADATA"
    file.write_text(file.read_text(encoding="utf-8").replace("Name: testlathe", "Name: croody-edge"), encoding="utf-8")
    with pytest.raises(BadSetting, match=r"in a clone, pip install -r requirements/extra-lathe.txt, or EDGE_EXTRAS=lathe"):
        choose(of("lathe", tmp_path), {})


def test_what_is_no_kind_of_source_is_refused(tmp_path: Path, install: Install) -> None:
    install("testlathe", "lathe", "def open_source(settings, variables): return None")
    with pytest.raises(BadSetting, match="it is no class with Settings"):
        choose(of("lathe", tmp_path), {})


def test_two_packages_with_one_name_are_refused_rather_than_guessed_between(tmp_path: Path, install: Install) -> None:
    install("testlathe", "lathe", "")
    install("testturner", "lathe", "")
    with pytest.raises(BadSetting, match=r"2 packages have \(testlathe, testturner\): keep one"):
        choose(of("lathe", tmp_path), {})

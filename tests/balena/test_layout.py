"""`make balena`: everything that is pushed, nothing else, and the same bytes every time."""

import hashlib
import re
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

from tools.balena.dialect import findings
from tools.balena.layout import devices, dockerfile, extras, lay_out, moment, pack, version, with_devices, without_simulator
from tools.balena.lint import BALENA
from tools.stack import ROOT
from tools.words import Problem


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("build") / "balena")


def compose() -> str:
    return (BALENA / "docker-compose.yml").read_text()


def test_the_tree_has_all_that_its_dockerfile_copies_and_nothing_built(tree: Path) -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (tree / "Dockerfile").read_text(), re.MULTILINE)
    assert copied
    for source in " ".join(copied).split():
        assert list(tree.glob(source)), source
    names = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    assert {"balena.yml", "contract.yml", "docker-compose.yml", "Dockerfile", "LICENSE", "README.md"} <= names
    assert "edge_agent/croody_edge/screen/models/sensors.tflite" in names
    assert not [name for name in names if re.search(r"__pycache__|\.pyc$|/training/|\.git", name)]
    assert sum((tree / name).stat().st_size for name in names) < 3_000_000


def test_the_base_image_is_written_out_for_whoever_reads_from_lines_as_they_stand(tree: Path) -> None:
    bases = re.findall(r"^FROM (\S+)", (tree / "Dockerfile").read_text(), re.MULTILINE)
    assert bases == ["python:3.11-slim-bookworm", "libraries", "python:3.11-slim-bookworm"]


def test_a_dockerfile_that_names_its_base_otherwise_is_no_silent_failure() -> None:
    with pytest.raises(Problem, match="PYTHON_IMAGE"):
        dockerfile("FROM debian:12\n")


def test_what_lay_in_the_folder_before_goes(tmp_path: Path) -> None:
    (tmp_path / "balena").mkdir()
    (tmp_path / "balena" / "secret").touch()
    assert not (lay_out(tmp_path / "balena") / "secret").exists()


def test_the_archive_is_the_same_every_time_and_has_one_folder_in_it(tree: Path, tmp_path: Path) -> None:
    first, second = (pack(tree, tmp_path / name / "croody-balena-1.tar.gz", 1_700_000_000) for name in "ab")
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    assert first.stat().st_size < 1_000_000
    with tarfile.open(first) as archive:
        members = archive.getmembers()
    assert {member.name.partition("/")[0] for member in members} == {"croody-balena-1"}
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(1_700_000_000, 0, 0, "")}
    assert len(members) == sum(path.is_file() for path in tree.rglob("*"))


def test_the_moment_is_the_commits_or_the_one_that_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    committed = subprocess.run(
        ["git", "-c", "safe.directory=*", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert moment() == int(committed.stdout)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234")
    assert moment() == 1234


def test_the_version_is_the_agents() -> None:
    edge = tomllib.loads((ROOT / "edge_agent" / "pyproject.toml").read_text())["project"]["version"]
    contract = yaml.safe_load((BALENA / "contract.yml").read_text())["version"]
    assert {version(), str(contract)} == {edge}


def test_devices_of_the_board_go_to_the_agent_alone() -> None:
    whole = yaml.safe_load(with_devices(compose(), devices("/dev/ttyUSB0, /dev/i2c-1")))
    assert whole["services"]["agent"]["devices"] == ["/dev/ttyUSB0:/dev/ttyUSB0", "/dev/i2c-1:/dev/i2c-1"]
    assert "devices" not in whole["services"]["simulator"]
    assert findings(whole) == []


@pytest.mark.parametrize("written", ["ttyUSB0", "/etc/passwd", "/dev/../etc", "/dev/a b", "/dev/", "/dev/x:/dev/y", "/dev/x]"])
def test_what_is_no_path_of_a_device_is_refused_with_its_name(written: str) -> None:
    with pytest.raises(Problem, match=re.escape(repr(written))):
        devices(f"/dev/ok,{written}")


def test_extra_libraries_are_named_in_the_dockerfile_and_unknown_ones_refused_with_those_there_are(tmp_path: Path) -> None:
    text = (lay_out(tmp_path / "balena", libraries=extras("serial modbus")) / "Dockerfile").read_text()
    assert 'ARG EXTRAS="serial modbus"\n' in text
    with pytest.raises(Problem, match=r"'gpio'.*serial"):
        extras("serial gpio")


def test_the_simulator_can_stay_out() -> None:
    whole = yaml.safe_load(without_simulator(compose()))
    assert list(whole["services"]) == ["agent"]
    assert list(whole["volumes"]) == ["outbox"]
    assert findings(whole) == []

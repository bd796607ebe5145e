"""The source that the documentation writes is installed as the page says, and runs."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from croody_contract.messages import Event, Reading
from tests.edge_agent.doubles import ROBOT, SECRET, Broker, Cloud, wait_until
from tests.patience import PATIENCE_S
from tools.stack import ROOT

Run = Callable[..., subprocess.Popen[str]]
PAGES = [ROOT / "docs" / "how-to" / name for name in ("write-a-source.md", "write-a-source.es.md")]


def files(page: Path) -> dict[str, str]:
    """The files that a page shows, by name."""
    return dict(re.findall(r"^```(?:toml|python) (\S+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has put the page's package."""
    folder = tmp_path_factory.mktemp("boiler")
    for name, text in files(PAGES[0]).items():
        (folder / name).write_text(text, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(folder / "sources"), str(folder)], check=True, capture_output=True, timeout=120)
    return folder / "sources"


@pytest.fixture
def run(tmp_path: Path, installed: Path, broker: Broker) -> Iterator[Run]:
    """`croody-edge run` with a source of the package and its variables."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, **variables: str) -> subprocess.Popen[str]:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((str(installed), os.environ.get("PYTHONPATH", ""))),
            "CROODY_BROKER_URL": str(broker.address),
            "ROBOT_ID": ROBOT,
            "ROBOT_SECRET": SECRET,
            "CROODY_EDGE_DIR": str(tmp_path / "edge"),
            "CROODY_INTERVAL_S": "0.05",
            "CROODY_SOURCE": source,
            **variables,
        }
        program = str(Path(sys.executable).with_name("croody-edge"))
        started.append(subprocess.Popen([program, "run"], env=env, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_both_languages_show_the_same_package() -> None:
    assert set(files(PAGES[0])) == {"pyproject.toml", "croody_boiler.py"}
    assert files(PAGES[0]) == files(PAGES[1])


def test_the_template_is_what_the_page_shows() -> None:
    template = ROOT / "edge_agent" / "source_template"
    assert files(PAGES[0]) == {path.name: path.read_text(encoding="utf-8") for path in template.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "there", "status", "said"),
    [
        (["boiler", "--seconds", "2"], True, 0, "all is well"),
        (["boiler", "--seconds", "2", "--away"], False, 0, "No such file"),
        (["boiler", "--seconds", "2"], False, 1, "none in 2 s"),
        (["boiler", "--seconds", "2", "--away"], True, 1, "it does not say so"),
        (["boiler_alarms", "--seconds", "1"], True, 1, "none in 1 s"),
    ],
)
def test_the_page_s_source_is_held_to_what_an_agent_expects(
    tmp_path: Path, installed: Path, arguments: list[str], there: bool, status: int, said: str
) -> None:
    if there:
        (tmp_path / "temp").write_text("61500\n")
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join((str(installed), os.environ.get("PYTHONPATH", "")))}
    env |= {"CROODY_BOILER_FILE": str(tmp_path / "temp"), "CROODY_EDGE_DIR": str(tmp_path / "edge"), "CROODY_INTERVAL_S": "0.1"}
    program = str(Path(sys.executable).with_name("croody-edge"))
    done = subprocess.run([program, "check-source", *arguments], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (status, "")
    assert said in done.stdout


def measured(cloud: Cloud) -> dict[str, object]:
    """The newest reading, without what screening says of it while it learns."""
    data = dict(cloud.ledger.of(Reading)[-1].data)
    assert data.pop("screening", "learning") == "learning"
    return data


def test_the_source_that_is_asked_reads_its_file_and_says_when_it_cannot(tmp_path: Path, cloud: Cloud, run: Run) -> None:
    file = tmp_path / "temp"
    file.write_text("61500\n")
    run("boiler", CROODY_BOILER_FILE=str(file))
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) > 3)
    assert measured(cloud) == {"water_temp_c": 61.5}
    file.write_text("hot\n")
    time.sleep(0.3)
    file.write_text("62000\n")
    assert wait_until(lambda: cloud.ledger.of(Event))
    (event,) = cloud.ledger.of(Event)
    assert event.code == "source_failed"
    assert event.detail["cause"].startswith(f"{file} holds no number: ")
    assert wait_until(lambda: measured(cloud) == {"water_temp_c": 62.0})


def test_the_source_that_speaks_by_itself_is_heard(cloud: Cloud, run: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run("boiler_alarms", CROODY_BOILER_ALARMS_PORT=str(port))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:

        def heard() -> bool:
            bell.sendto(b"low water", ("127.0.0.1", port))
            return any(event.detail == {"word": "low water"} for event in cloud.ledger.of(Event))

        assert wait_until(heard)


def test_a_variable_of_a_source_that_breaks_a_rule_is_said_in_one_line(run: Run) -> None:
    process = run("boiler_alarms", CROODY_BOILER_ALARMS_PORT="many")
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 78
    assert errors == "croody-edge: CROODY_BOILER_ALARMS_PORT is 'many': it must be a whole number\n"

"""What the robot's commands say at a terminal is in the terminal's language, and in that one alone."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from croody_contract.texts import speak
from croody_edge.link import remedies
from croody_edge.link.address import BrokerAddress, parse_brokers
from croody_edge.settings import from_environment
from croody_edge.variables import BadSetting

SPANISH = {"LANG": "es_CO.UTF-8"}


@pytest.fixture
def spanish() -> Iterator[None]:
    speak(SPANISH)
    yield
    speak({})


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "falta ROBOT_ID"),
        ({"ROBOT_ID": "a b c", "ROBOT_SECRET": "s"}, "ROBOT_ID es 'a b c': tiene que tener de 3 a 64 letras"),
        ({"ROBOT_ID": "rover-1"}, "falta ROBOT_SECRET"),
        ({"ROBOT_ID": "rover-1", "ROBOT_SECRET": "s", "CROODY_QOS": "2"}, "CROODY_QOS es '2': tiene que estar entre 0 y 1"),
        (
            {"ROBOT_ID": "rover-1", "ROBOT_SECRET": "s", "CROODY_BROKER_URL": "x"},
            "CROODY_BROKER_URL es 'x': 'x' no es una dirección: da mqtt",
        ),
    ],
)
def test_a_wrong_setting_is_told_in_spanish(spanish: None, variables: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting) as error:
        from_environment(variables)
    assert str(error.value).startswith(said)


def test_what_keeps_a_robot_from_its_broker_is_told_in_spanish(spanish: None) -> None:
    assert "el secreto de rover-1 no es correcto" in remedies.of_refusal("Not authorized", "rover-1").text
    assert remedies.of_silence(BrokerAddress("x", 1)).text.startswith("la conexión se cerró")
    with pytest.raises(ValueError, match="no contiene ninguna dirección"):
        parse_brokers(",")


@pytest.mark.parametrize(
    ("program", "arguments", "lang", "said"),
    [
        (
            "croody-edge",
            ["--speed"],
            "es",
            "croody-edge: falta enrol|run|status|doctor|check-source|check-rules|screen|calibrate|profile|bundle: mira --help",
        ),
        (
            "croody-edge",
            ["dance"],
            "es",
            "croody-edge: enrol|run|status|doctor|check-source|check-rules|screen|calibrate|profile|bundle es 'dance': tiene que ser uno"
            " de 'enrol', 'run', 'status', 'doctor', 'check-source', 'check-rules', 'screen', 'calibrate', 'profile', 'bundle'",
        ),
        ("croody-edge", ["status", "--dir"], "es", "croody-edge: --dir: falta su valor"),
        ("croody-edge", ["status", "--fast"], "en", "croody-edge: unrecognized arguments: --fast: see --help"),
        ("croody-sim", ["--speed", "3"], "es", "croody-sim: no se conoce: --speed 3: mira --help"),
        ("croody-sim", ["--robots", "many"], "es", "croody-sim: --robots es 'many': tiene que ser un número entero"),
        ("croody-sim", ["--rate", "fast"], "en", "croody-sim: --rate is 'fast': it must be a number"),
        ("croody-sim", ["--rate", "0"], "es", "croody-sim: --rate es 0.0: tiene que ser mayor que 0"),
    ],
)
def test_a_wrong_command_line_is_one_line_in_the_terminals_language(program: str, arguments: list[str], lang: str, said: str) -> None:
    done = run(program, *arguments, lang=lang)
    assert (done.returncode, done.stdout) == (78, "")
    verbs = ["enrol", "run", "status", "doctor", "check-source", "check-rules", "screen", "calibrate", "profile", "bundle"]
    # Newer Pythons leave the quotes out.
    named = ", ".join(f"'?{verb}'?" for verb in verbs)
    assert re.sub(named, ", ".join(f"'{verb}'" for verb in verbs), done.stderr) == f"{said}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("croody-edge",),
        ("croody-edge", "run"),
        ("croody-edge", "status"),
        ("croody-edge", "doctor"),
        ("croody-edge", "bundle"),
        ("croody-sim",),
    ],
)
def test_help_says_usage_once_and_nothing_in_the_other_language(words: tuple[str, ...]) -> None:
    spoken = {lang: run(*words, "--help", lang=lang).stdout for lang in ("es", "en")}
    assert spoken["es"].startswith(f"uso: {' '.join(words)} ")
    assert spoken["en"].startswith(f"usage: {' '.join(words)} ")
    assert spoken["es"].count("uso:") == spoken["en"].count("usage:") == 1
    assert not re.search(r"\b(usage|options|show|with|the)\b", spoken["es"])


def run(program: str, *arguments: str, lang: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    ours = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    env = {**ours, "LANG": f"{lang}.UTF-8", "PYTHONUTF8": "1", "COLUMNS": "200"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)

"""What `croody-broker` says at a terminal is in the terminal's language, and in that one alone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = str(Path(sys.executable).with_name("croody-broker"))
COMMANDS = (), ("mosquitto",), ("mosquitto-conf",)


@pytest.mark.parametrize("words", COMMANDS)
def test_help_is_in_the_terminals_language_and_says_nothing_in_the_other(words: tuple[str, ...]) -> None:
    spoken = {lang: run(*words, "--help", lang=lang).stdout for lang in ("es", "en")}
    named = " ".join(("croody-broker", *words))
    assert spoken["es"].startswith(f"uso: {named} ")
    assert spoken["en"].startswith(f"usage: {named} ")
    assert not re.search(r"\b(usage|options|show|with|the|default)\b", spoken["es"])
    assert not re.search(r"\b(uso|opciones|muestra|con|los|defecto)\b", spoken["en"])


ROBOTS = ["--passwd", "p", "--acl", "a"]


@pytest.mark.parametrize(
    ("arguments", "lang", "said"),
    [
        (["--speed", "3", *ROBOTS], "es", "croody-broker: no se conoce: --speed 3: mira --help"),
        (["--passwd"], "es", "croody-broker: --passwd: falta su valor"),
        ([], "es", "croody-broker: falta --passwd, --acl: mira --help"),
        ([], "en", "croody-broker: --passwd, --acl is missing: see --help"),
        (ROBOTS, "es", "croody-broker: da --bind, --tls-bind o --websocket-bind, o varias de ellas"),
        ([*ROBOTS, "--bind", "x"], "es", "croody-broker: la dirección 'x': se espera HOST:PUERTO, por ejemplo 127.0.0.1:1883"),
        ([*ROBOTS, "--max-rate", "z"], "es", "croody-broker: --max-rate es 'z': tiene que ser un número entero"),
        (
            ["mosquitto-conf", *ROBOTS, "--bridge-bind", "b:1"],
            "es",
            "croody-broker mosquitto-conf: da --bind, --tls-bind, o las dos",
        ),
    ],
)
def test_a_wrong_command_line_ends_in_one_sentence_in_the_terminals_language(arguments: list[str], lang: str, said: str) -> None:
    done = run(*arguments, lang=lang)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith({"es": "uso: ", "en": "usage: "}[lang])
    assert done.stderr.splitlines()[-1] == said


def test_an_address_that_this_machine_has_not_is_told_in_spanish(tmp_path: Path) -> None:
    files = ["--passwd", str(tmp_path / "passwd"), "--acl", str(tmp_path / "acl")]
    done = run("--bind", "192.0.2.1:18831", *files, lang="es")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "croody-broker: no puede arrancar: esta máquina no tiene la dirección 192.0.2.1:18831: elige otro --bind"
    )


def run(*arguments: str, lang: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "LC_ALL": f"{lang}.UTF-8", "PYTHONUTF8": "1", "COLUMNS": "300"}
    return subprocess.run([PROGRAM, *arguments], env=env, capture_output=True, text=True, timeout=30, check=False)

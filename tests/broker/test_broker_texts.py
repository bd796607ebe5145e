"""What `croody-broker` says at a terminal: one catalogue, whole in both languages, with nothing in it that nobody says."""

import os
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest

from croody_broker.texts import TEXTS
from tools.stack import ROOT

PACKAGE = ROOT / "broker" / "croody_broker"
CODE = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "texts.py"}
PROGRAM = str(Path(sys.executable).with_name("croody-broker"))
COMMANDS = (), ("mosquitto",), ("mosquitto-conf",)


def places(sentence: str) -> set[str]:
    return {place for _, place, _, _ in string.Formatter().parse(sentence) if place}


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_exists_in_both_languages_with_the_same_places(key: str) -> None:
    es, en = TEXTS[key]
    assert es
    assert en
    assert places(es) == places(en)
    assert es.count("%(default)s") == en.count("%(default)s")


def test_every_text_is_said_somewhere_and_every_text_that_is_said_exists() -> None:
    written = {word for code in CODE.values() for word in re.findall(r"""["']([a-z]+\.[a-z_]+)["']""", code)}
    said = {key for code in CODE.values() for key in re.findall(r"""(?<![.\w])text\(\s*["']([^"']+)["']""", code)}
    assert sorted(set(TEXTS) - written) == []
    assert sorted(said - set(TEXTS)) == []


def test_no_module_but_the_catalogue_knows_two_languages() -> None:
    assert [path.name for path, code in CODE.items() if re.search("[áéíóúñ¿¡]", code)] == []


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

"""A catalogue for every text of a terminal: whole in both languages, with nothing in it that nobody says, and no sentence beside it."""

import pkgutil
import re
import string
from importlib import import_module
from pathlib import Path

import pytest

from croody_broker.texts import TEXTS as BROKER
from croody_contract.texts import TEXTS as COMMAND_LINE
from croody_contract.texts import said, speak
from croody_edge import texts
from croody_edge.texts import TEXTS as EDGE
from tools.stack import ROOT

PACKAGES = {"contract/croody_contract": COMMAND_LINE, "edge_agent/croody_edge": EDGE, "broker/croody_broker": BROKER}
EACH = pytest.mark.parametrize("package", PACKAGES)
#: A name, the old protocol's words, and a word for yes.
SPANISH_WORDS = {"edge_agent/croody_edge": {"sim/climate.py", "sim/protocol.py", "variables.py"}}


def code(package: str) -> dict[Path, str]:
    paths = (ROOT / package).rglob("*.py")
    return {path: path.read_text(encoding="utf-8") for path in paths if path.name != "texts.py" and path.parent.name != "texts"}


def places(sentence: str) -> set[str]:
    return {place for _, place, _, _ in string.Formatter().parse(sentence) if place}


@pytest.mark.parametrize(("package", "key"), [(package, key) for package, texts in PACKAGES.items() for key in texts])
def test_a_text_exists_in_both_languages_with_the_same_places(package: str, key: str) -> None:
    es, en = PACKAGES[package][key]
    assert es
    assert en
    assert places(es) == places(en)
    assert es.count("%(default)s") == en.count("%(default)s")


@EACH
def test_every_text_is_said_somewhere_and_every_text_that_is_said_exists(package: str) -> None:
    sources = code(package).values()
    written = {word for source in sources for word in re.findall(r"""["']([a-z0-9_]+\.[a-z_]+)["']""", source)}
    # Families whose last word is chosen where they are said.
    families = tuple(start for source in sources for start in re.findall(r"""f["']([a-z0-9_]+\.[a-z_]*)\{""", source))
    written |= {key for key in PACKAGES[package] if families and key.startswith(families)}
    asked = {key for source in sources for key in re.findall(r"""(?<![.\w])(?:text\(|said\(TEXTS,)\s*["']([^"']+)["']""", source)}
    assert sorted(set(PACKAGES[package]) - written) == []
    assert sorted(asked - set(PACKAGES[package])) == []


def test_no_key_stands_in_two_files_of_one_catalogue() -> None:
    parts = [import_module(f"croody_edge.texts.{found.name}").TEXTS for found in pkgutil.iter_modules(texts.__path__)]
    assert sum(map(len, parts)) == len(EDGE)


def test_no_key_stands_in_two_catalogues() -> None:
    assert len({*COMMAND_LINE, *EDGE, *BROKER}) == len(COMMAND_LINE) + len(EDGE) + len(BROKER)


@EACH
def test_no_module_but_the_catalogue_knows_two_languages(package: str) -> None:
    accents = re.compile("[áéíóúñ¿¡]")
    # What a kind of source says of its metrics goes to the cloud in both languages: it is no sentence of a terminal.
    plain = {path: re.sub(r"^ *MetricInfo\(.*$", "", source, flags=re.MULTILINE) for path, source in code(package).items()}
    others = {path.relative_to(ROOT / package).as_posix() for path, source in plain.items() if accents.search(source)}
    assert others <= SPANISH_WORDS.get(package, set())


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({}, "options"),
        ({"LANG": "es_CO.UTF-8"}, "opciones"),
        ({"LC_ALL": "C", "LANG": "es"}, "options"),
        ({"LC_MESSAGES": "es_MX", "LANG": "en"}, "opciones"),
    ],
)
def test_the_language_is_that_of_the_first_variable_that_is_set(environ: dict[str, str], word: str) -> None:
    speak(environ)
    try:
        assert said(COMMAND_LINE, "help.options") == word
    finally:
        speak({})

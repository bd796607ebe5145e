"""Texts for a person at a terminal, in Spanish and English: which of the two this process speaks, and a text of a catalogue in it.

A robot's commands and the broker's have a catalogue each; the one here holds what every command line says. English until a command says
otherwise: a library has no terminal.
"""

from collections.abc import Mapping
from typing import Final

#: Key -> Spanish, English. The part before the dot says where it is used.
TEXTS: Final[dict[str, tuple[str, str]]] = {
    "help.usage": ("uso: ", "usage: "),
    "help.options": ("opciones", "options"),
    "help.help": ("muestra esta ayuda y termina", "show this help and end"),
    "arguments.unknown": ("no se conoce: {names}: mira --help", "unrecognized arguments: {names}: see --help"),
    "arguments.missing": ("falta {names}: mira --help", "{names} is missing: see --help"),
    "arguments.no_value": ("{name}: falta su valor", "{name}: its value is missing"),
    "arguments.not_a_number": ("{name} es {value}: tiene que ser un número", "{name} is {value}: it must be a number"),
    "arguments.not_whole": ("{name} es {value}: tiene que ser un número entero", "{name} is {value}: it must be a whole number"),
    "arguments.choice": ("{name} es {value}: tiene que ser uno de {choices}", "{name} is {value}: it must be one of {choices}"),
}

#: How much a text repeats of one value, characters: its beginning, and its end, where a reason has its remedy.
_HEAD, _TAIL = 300, 200
_SPANISH, _ENGLISH = 0, 1
_column = _ENGLISH


def speak(environ: Mapping[str, str]) -> None:
    """Speak the user's language from here on, by LC_ALL, LC_MESSAGES or LANG, the first that is set; a command calls it before all else."""
    global _column
    chosen = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    _column = _SPANISH if chosen.lower().startswith("es") else _ENGLISH


def speaks_spanish() -> bool:
    """Say whether it is Spanish that this process speaks."""
    return _column == _SPANISH


def said(catalogue: Mapping[str, tuple[str, str]], key: str, /, **values: object) -> str:
    """A text of a catalogue in the language that is spoken.

    Raises:
        KeyError: no such text, or one of its places has no value.
    """
    return filled(catalogue[key][_column], values)


def filled(sentence: str, values: Mapping[str, object]) -> str:
    """`sentence` with its places filled in, each value cut by `short`.

    Raises:
        KeyError: a place has no value.
    """
    return sentence.format(**{name: value if len(str(value)) <= _HEAD + _TAIL else short(value) for name, value in values.items()})


def short(value: object) -> str:
    """As text: all of a line or two; of what a file or a stranger made longer, its beginning and its end."""
    words = str(value)
    return words if len(words) <= _HEAD + _TAIL else f"{words[:_HEAD]} \u2026 {words[-_TAIL:]}"

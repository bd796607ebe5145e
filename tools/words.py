"""Says a sentence in the language of the terminal: Spanish when LANG says so, English otherwise. Standard library only."""

import os
import sys
from collections.abc import Mapping


def spanish(environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether the terminal asks for Spanish (`LC_ALL`, then `LC_MESSAGES`, then `LANG`, as every program does)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return environ[name].lower().startswith("es")
    return False


def words(es: str, en: str) -> str:
    """The sentence in the terminal's language."""
    return es if spanish() else en


def say(es: str, en: str) -> None:
    """Print a sentence for the person at the terminal, at once."""
    print(words(es, en), flush=True)


class Problem(Exception):
    """Something a person must mend; the text is one sentence that names what is wrong and the remedy."""

    def __init__(self, es: str, en: str) -> None:
        super().__init__(words(es, en))


def fail(problem: Exception) -> int:
    """Print a problem where errors belong; returns the exit status."""
    print(f"✗ {problem}" if sys.stderr.encoding.lower().startswith("utf") else f"x {problem}", file=sys.stderr, flush=True)
    return 1

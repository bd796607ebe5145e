"""The catalogue of words (`locale/`) for what speaks without Django: before its settings can be read, or in both languages at once.

Everything else of the cloud asks `django.utils.translation`, which reads the same files. Spanish is what the code says.
"""

import gettext
import os
from collections.abc import Mapping
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("es", "en")
_FOLDER: Final = Path(__file__).resolve().parent / "locale"


def of(language: str) -> NullTranslations:
    """The words of one of `LANGUAGES`; call its `gettext` `_`, so that `tools/messages.py` finds what is asked of it."""
    return translation("django", _FOLDER, [language], fallback=True)


def terminal_language(environ: Mapping[str, str] = os.environ) -> str:
    """`es` where the terminal asks for Spanish (`LC_ALL`, then `LC_MESSAGES`, then `LANG`, as every program does), else `en`."""
    chosen = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "es" if chosen.lower().startswith("es") else "en"


def speak(environ: Mapping[str, str] = os.environ) -> str:
    """Speak the terminal's language from here on, as far as Python speaks itself: help and errors of command lines. Returns it."""
    language = terminal_language(environ)
    gettext.bindtextdomain("argparse", str(_FOLDER))
    gettext.textdomain("argparse")
    # Python would go by `LANGUAGE` first; a terminal speaks one language.
    os.environ["LANGUAGE"] = language
    return language

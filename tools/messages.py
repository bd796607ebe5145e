"""Keeps `locale`: reads every marked string of the cloud, updates `en`'s django.po and compiles. Translates nothing.

`python -m tools.messages` updates; what has no English yet is listed and fails. No gettext tools are needed.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib
from django.conf import settings
from django.utils.translation.template import templatize

CLOUD = Path(__file__).resolve().parent.parent / "cloud" / "croody"
PO = CLOUD / "locale" / "en" / "LC_MESSAGES" / "django.po"
#: What Python itself says in English, in Spanish: written by hand.
ARGPARSE = CLOUD / "locale" / "es" / "LC_MESSAGES" / "argparse.po"
_CALLS = {"gettext": "", "gettext_lazy": "", "_": "", "ngettext": "n", "pgettext": "p", "pgettext_lazy": "p", "npgettext": "np"}
_MARKED = re.compile(r"\b(?:gettext|ngettext|pgettext|npgettext)\(")


class Message(NamedTuple):
    """A string to translate. `plural` and `context` are empty where there is none."""

    text: str
    plural: str = ""
    context: str = ""


def messages() -> dict[Message, str]:
    """Every marked string of the cloud -> the file that has it first."""
    found: dict[Message, str] = {}
    for path in sorted(CLOUD.rglob("*.py")):
        for message in of_python(path.read_text(encoding="utf-8")):
            found.setdefault(message, path.relative_to(CLOUD).as_posix())
    for path in sorted(CLOUD.rglob("templates/**/*.html")):
        for message in of_template(path.read_text(encoding="utf-8")):
            found.setdefault(message, path.relative_to(CLOUD).as_posix())
    return found


def of_python(source: str) -> Iterator[Message]:
    """Strings marked in Python code."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        shape = _CALLS.get(node.func.id)
        texts = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if shape is None or not texts:
            continue
        context = texts.pop(0) if "p" in shape else ""
        yield Message(texts[0], texts[1] if "n" in shape else "", context)


def of_template(source: str) -> Iterator[Message]:
    """Strings marked in a template: Django rewrites it as calls, which are read like Python's."""
    if not settings.configured:
        settings.configure()
    calls = templatize(source)
    for match in _MARKED.finditer(calls):
        depth, end = 1, match.end()
        quote = ""
        while depth and end < len(calls):
            char = calls[end]
            if quote:
                if char == "\\":
                    end += 1
                elif char == quote:
                    quote = ""
            elif char in "'\"":
                quote = char
            else:
                depth += {"(": 1, ")": -1}.get(char, 0)
            end += 1
        yield from of_python(calls[match.start() : end])


def update(po: polib.POFile) -> None:
    """Add what is new, drop what nobody asks for any more, keep every translation."""
    wanted = messages()
    known = {Message(entry.msgid, entry.msgid_plural, entry.msgctxt or ""): entry for entry in po}
    for message, entry in known.items():
        if message not in wanted:
            po.remove(entry)
    for message in wanted:
        if message not in known:
            plural = {0: "", 1: ""} if message.plural else None
            po.append(
                polib.POEntry(
                    msgid=message.text, msgid_plural=message.plural, msgctxt=message.context or None, msgstr="", msgstr_plural=plural or {}
                )
            )
    by_message = {Message(entry.msgid, entry.msgid_plural, entry.msgctxt or ""): entry for entry in po}
    for message, entry in by_message.items():
        entry.occurrences = [(wanted[message], "")]
    po.sort(key=lambda entry: (entry.occurrences[0][0], entry.msgid))


def untranslated(po: polib.POFile) -> list[str]:
    """What has no English yet."""
    missing = []
    for entry in po:
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if not all(texts):
            missing.append(entry.msgid)
    return missing


def main() -> int:
    """Update and compile; 1 when something has no English."""
    po = polib.pofile(str(PO), wrapwidth=120)
    update(po)
    po.save(str(PO))
    po.save_as_mofile(str(PO.with_suffix(".mo")))
    polib.pofile(str(ARGPARSE)).save_as_mofile(str(ARGPARSE.with_suffix(".mo")))
    missing = untranslated(po)
    for text in missing:
        sys.stdout.write(f"no English: {text!r}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

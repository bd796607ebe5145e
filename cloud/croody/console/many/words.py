"""What is done to many robots, in the words of one language. Asks no database."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.console.many.acts import Outcome
from croody.web import formats

#: Names that are said; all are counted.
NAMED = 12


def sentence(count: int, language: str, *, chosen: bool) -> str:
    """The head of the page that asks what to do."""
    if not count:
        return _("Ningún robot elegido") if chosen else _("Ningún robot coincide")
    if chosen:
        text = ngettext("%(count)s robot elegido", "%(count)s robots elegidos", count)
    else:
        text = ngettext("%(count)s robot coincide", "%(count)s robots coinciden", count)
    return text % {"count": formats.counted(count, language)}


def names(robot_ids: Sequence[str], language: str) -> str:
    """The first of them, and how many more."""
    said, hidden = ", ".join(robot_ids[:NAMED]), len(robot_ids) - NAMED
    if hidden <= 0:
        return said
    text = ngettext("%(names)s y %(count)s más", "%(names)s y %(count)s más", hidden)
    return text % {"names": said, "count": formats.number(hidden, 0, language)}


def done(verb: str, count: int, language: str) -> str:
    """What is said to who did it."""
    said = {
        "maintain": ngettext("%(count)s robot en mantenimiento.", "%(count)s robots en mantenimiento.", count),
        "mended": ngettext("Mantenimiento terminado en %(count)s robot.", "Mantenimiento terminado en %(count)s robots.", count),
        "tag": ngettext("%(count)s robot etiquetado.", "%(count)s robots etiquetados.", count),
        "untag": ngettext("Etiquetas quitadas de %(count)s robot.", "Etiquetas quitadas de %(count)s robots.", count),
        "move": ngettext("%(count)s robot cambió de sitio.", "%(count)s robots cambiaron de sitio.", count),
        "star": ngettext("%(count)s robot entre tus favoritos.", "%(count)s robots entre tus favoritos.", count),
        "unstar": ngettext("%(count)s robot fuera de tus favoritos.", "%(count)s robots fuera de tus favoritos.", count),
    }
    return said[verb] % {"count": formats.number(count, 0, language)}


def undone(count: int, language: str) -> str:
    """After it was taken back."""
    text = ngettext("Deshecho en %(count)s robot.", "Deshecho en %(count)s robots.", count)
    return text % {"count": formats.number(count, 0, language)}


def problems(outcome: Outcome, language: str) -> list[str]:
    """Why it was not done to some, and that some are left."""
    found = []
    for why, count in outcome.refused.items():
        text = ngettext("%(count)s robot queda como estaba: %(why)s", "%(count)s robots quedan como estaban: %(why)s", count)
        found.append(text % {"count": formats.number(count, 0, language), "why": why})
    if outcome.left:
        text = ngettext("Queda %(count)s: hazlo otra vez para seguir.", "Quedan %(count)s: hazlo otra vez para seguir.", outcome.left)
        found.append(text % {"count": formats.number(outcome.left, 0, language)})
    return found


def may(count: int, total: int, language: str) -> dict[str, Any]:
    """To how many of them it may be done; said where these are not all."""
    text = ngettext("Puedes en %(count)s de ellos.", "Puedes en %(count)s de ellos.", count)
    return {"some": bool(count), "said": text % {"count": formats.number(count, 0, language)} if count < total else ""}

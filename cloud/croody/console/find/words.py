"""What the search answers, in one language. Asks no database."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from django.urls import reverse
from django.utils.translation import gettext as _

from croody.alarms import kinds
from croody.alarms.models import Alarm
from croody.alarms.storms import kind_of
from croody.console.find.facts import Found
from croody.console.fleet.words import STATES
from croody.console.pages import Page
from croody.fleet.access import Action

#: Pages of one answer.
MOST_PAGES: Final = 6


@dataclass(frozen=True, slots=True)
class Answer:
    """One line: where it leads, its glyph or icon, its name and what stands beside it. `kind`: state or severity, for its colour."""

    address: str
    icon: str
    words: str
    aside: str
    kind: str = ""


def plain(text: str) -> str:
    """As people type: without accents, in small letters."""
    return "".join(char for char in normalize("NFD", text.casefold()) if not "\u0300" <= char <= "\u036f")


def robots(found: Iterable[Found]) -> list[Answer]:
    """Robots, each to its page."""
    return [
        Answer(
            reverse("console_robot", args=[one.robot_id]),
            one.state.value,
            f"{one.robot_id} ({one.label})" if one.label else one.robot_id,
            " · ".join(filter(None, (one.site, str(STATES[one.state])))),
            f"is-{one.state.value}",
        )
        for one in found
    ]


def alarms(found: Iterable[Alarm]) -> list[Answer]:
    """Alarms, each to its evidence."""
    return [
        Answer(
            reverse("console_alert", args=[alarm.pk]),
            alarm.severity,
            str(kind_of(alarm).title),
            " · ".join(filter(None, (alarm.robot_id, str(kinds.SEVERITIES[alarm.severity])))),
            f"sev-{alarm.severity}",
        )
        for alarm in found
    ]


def pages(text: str, offered: Iterable[Page]) -> list[Answer]:
    """Pages whose name holds the text."""
    wanted = plain(text)
    named = [Answer(reverse(page.url), page.icon, str(page.words), _("Página")) for page in offered]
    return [one for one in named if wanted in plain(one.words)][:MOST_PAGES]


def acts(found: Sequence[Found], allowed: Collection[Action]) -> list[Answer]:
    """What one can do with the first robot that is meant: places where it is done, nothing happens by itself."""
    if not found:
        return []
    robot_id = found[0].robot_id
    said, act = {"robot": robot_id}, _("Acción")
    answers = [Answer(f"{reverse('console_map')}?robot={robot_id}", "nav-map", _("Ver %(robot)s en el mapa") % said, act)]
    if Action.ACT in allowed:
        answers.append(
            Answer(reverse("console_maintenance", args=[robot_id]), "maintenance", _("Poner %(robot)s en mantenimiento…") % said, act)
        )
    if Action.CONFIGURE in allowed:
        answers.append(Answer(reverse("console_robot_edit", args=[robot_id]), "nav-rules", _("Editar %(robot)s…") % said, act))
    return answers


def kinds_named(text: str) -> list[str]:
    """Codes of kinds whose title holds the text."""
    wanted = plain(text)
    return [kind.code for kind in kinds.all_declared() if wanted in plain(str(kind.title))] if wanted else []

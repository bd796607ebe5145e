"""What the search answers, in one language. Asks no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from croody.alarms import kinds
from croody.alarms.models import Alarm
from croody.alarms.storms import kind_of
from croody.console.find.facts import Found
from croody.console.fleet.words import STATES
from croody.console.pages import PAGES

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
            _address("console_robot", one.robot_id) or f"{reverse('console')}?q={one.robot_id}",
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
            _address("console_alert", alarm.pk) or reverse("monitor_alarms"),
            alarm.severity,
            str(kind_of(alarm).title),
            " · ".join(filter(None, (alarm.robot_id, str(kinds.SEVERITIES[alarm.severity])))),
            f"sev-{alarm.severity}",
        )
        for alarm in found
    ]


def pages(text: str) -> list[Answer]:
    """Pages whose name holds the text."""
    wanted = plain(text)
    named = [Answer(reverse(page.url), page.icon, str(page.words), _("Página")) for page in PAGES]
    return [one for one in named if wanted in plain(one.words)][:MOST_PAGES]


def acts(found: Sequence[Found]) -> list[Answer]:
    """What one can do with the first robot that is meant: places where it is done, nothing happens by itself."""
    if not found:
        return []
    robot_id = found[0].robot_id
    said = {"robot": robot_id}
    return [Answer(f"{reverse('console_map')}?robot={robot_id}", "nav-map", _("Ver %(robot)s en el mapa") % said, _("Acción"))]


def kinds_named(text: str) -> list[str]:
    """Codes of kinds whose title holds the text."""
    wanted = plain(text)
    return [kind.code for kind in kinds.all_declared() if wanted in plain(str(kind.title))] if wanted else []


def _address(name: str, *arguments: object) -> str:
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""

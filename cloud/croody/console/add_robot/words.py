"""The steps of a robot's first minutes, in words: what has come, what has not, and what to look at when it stalls. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _

from croody.console.add_robot.facts import Progress
from croody.telemetry.read import metrics

#: After so long without the next step a person is told where to look.
STALLED: Final = timedelta(seconds=20)
#: Of a first reading, so many values are shown.
MOST_VALUES: Final = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `remedy` is empty while there is no need of one."""

    words: str
    done: bool
    remedy: str = ""


def steps(robot_id: str, found: Progress, now: datetime, *, waits: bool = False, entered: bool = False) -> list[Step]:
    """Enrolled, where it does by a claim; reached us, was let in and understood, is stored.

    Args:
        robot_id: whose.
        found: what came of it.
        now: when.
        waits: a claim of it is shown, which no board has used.
        entered: a board came in by a claim.
    """
    arrived = found.heard_at is not None or found.letter is not None
    stored = found.reading_at is not None
    understood = stored or (arrived and found.letter is None)
    late = now - max(found.made_at, found.heard_at or found.made_at) > STALLED
    claim = [Step(_("La placa canjeó su pase"), entered, _not_entered() if late and not entered else "")] if waits or entered else []
    if waits and not entered and not arrived:
        late = False
    return [
        *claim,
        Step(_("Llegó a este servidor"), arrived, "" if arrived or not late else _not_arrived()),
        Step(_("Es %(id)s, y se entiende lo que dice") % {"id": robot_id}, understood, _not_understood(found) if not understood else ""),
        Step(_("Su primera lectura está guardada"), stored, "" if stored or not late or not understood else _not_stored()),
    ]


def sentence(robot_id: str, found: Progress) -> str:
    """The page's answer."""
    said = {"id": robot_id}
    if found.reading_at is not None:
        return _("%(id)s ya envía lecturas") % said
    if found.letter is not None:
        return _("Lo que envía %(id)s no se puede guardar") % said
    return _("%(id)s espera su primera lectura") % said


def values(data: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    """The first few values of a reading: label, and text with its unit."""
    found = []
    for metric in sorted((metrics.describe(name) for name in data), key=lambda metric: (metric.rank, metric.name))[:MOST_VALUES]:
        found.append((metric.label(language), metric.quantity(data[metric.name], language)))
    return found


def _not_entered() -> str:
    return _("Todavía nada. El pase se usa en la placa con croody-edge enrol, y ahí se dice por qué no entra, si no entra.")


def _not_arrived() -> str:
    return _(
        "Todavía nada. Mira que el servidor y el puerto sean los de las líneas, que un cortafuegos deje salir y que el secreto esté "
        "entero: a un secreto equivocado el broker le cuelga sin decir por qué."
    )


def _not_understood(found: Progress) -> str:
    if found.letter is None:
        return ""
    return _("Llegó algo que rompe una regla y se apartó (%(reason)s): %(detail)s") % {"reason": found.letter[0], "detail": found.letter[1]}


def _not_stored() -> str:
    return _("Se conectó y no ha enviado ninguna lectura: mira su fuente de datos (CROODY_SOURCE) y su registro.")

"""What was noticed, in the words and numbers of one language, for templates. Asks no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.detection.kinds import sensors
from croody.detection.windows import queries, suspicion
from croody.detection.windows.queries import Missed, Tally
from croody.monitor.detection_facts import OVER, Noticed
from croody.web import formats

#: What an opinion rests on (`ids.models.Verdict.Basis`).
BASES: Final = {
    "baseline": gettext_lazy("Lo habitual del robot"),
    "fleet": gettext_lazy("Lo habitual de otros robots"),
    "edge": gettext_lazy("Nada todavía: vale su puntaje"),
}
#: (suspect at the edge, confirmed by the cloud) -> glyph and word. What nothing was compared with is only normal to the robot.
RESULTS: Final = {
    (True, True): ("confirmed", gettext_lazy("Confirmada")),
    (True, False): ("dismissed", gettext_lazy("Descartada")),
    (False, True): ("missed", gettext_lazy("No la notó a bordo")),
    (False, False): ("usual", gettext_lazy("Habitual")),
}
NOT_COMPARED: Final = gettext_lazy("Normal a bordo")


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """`at`: unix seconds of the window. `result`: the glyph; `word`: the same said."""

    robot_id: str
    at: float
    age: str
    score: str
    basis: str
    result: str
    word: str
    sensors: str


@dataclass(frozen=True, slots=True)
class Section:
    """The section: its sentence, what screening misses, verdicts."""

    sentence: str
    missed: str
    verdicts: tuple[VerdictRow, ...]


def words(noticed: Noticed, now: datetime, language: str) -> Section:
    """All of it."""
    return Section(
        sentence=sentence(noticed.tally, language),
        missed=missed_sentence(noticed.missed, language),
        verdicts=tuple(verdict(row, now, language) for row in noticed.verdicts),
    )


def sentence(tally: Tally, language: str) -> str:
    """`En 24 h: 12 ventanas revisadas, 3 sospechosas, 1 confirmada`."""
    hours = _whole(OVER / timedelta(hours=1), language)
    if not tally.checked:
        return _("En %(hours)s h: ninguna ventana revisada") % {"hours": hours}
    checked = ngettext("%(count)s ventana revisada", "%(count)s ventanas revisadas", tally.checked)
    suspect = ngettext("%(count)s sospechosa", "%(count)s sospechosas", tally.suspect)
    confirmed = ngettext("%(count)s confirmada", "%(count)s confirmadas", tally.confirmed)
    return _("En %(hours)s h: %(checked)s, %(suspect)s, %(confirmed)s") % {
        "hours": hours,
        "checked": checked % {"count": _whole(tally.checked, language)},
        "suspect": suspect % {"count": _whole(tally.suspect, language)},
        "confirmed": confirmed % {"count": _whole(tally.confirmed, language)},
    }


def missed_sentence(missed: Missed, language: str) -> str:
    """What screening lets pass, with how sure that is."""
    if missed.share is None:
        return _("Lo que se le escapa a la revisión a bordo: sin muestra todavía.")
    text = ngettext(
        "En %(days)s días, de %(sampled)s ventana que a bordo pareció normal y se envió al azar, la nube halló %(missed)s fuera de lo "
        "habitual: un %(share)s "
        "(con 95 %% de confianza, entre %(low)s y %(high)s). Cerca del %(chance)s sale así por azar; lo que pase de ahí se escapó a bordo.",
        "En %(days)s días, de %(sampled)s ventanas que a bordo parecieron normales y se enviaron al azar, la nube halló %(missed)s fuera "
        "de lo habitual: un %(share)s "
        "(con 95 %% de confianza, entre %(low)s y %(high)s). Cerca del %(chance)s sale así por azar; lo que pase de ahí se escapó a bordo.",
        missed.sampled,
    )
    return text % {
        "days": _whole(queries.MISSED_OVER / timedelta(days=1), language),
        "sampled": _whole(missed.sampled, language),
        "missed": _whole(missed.missed, language),
        "share": formats.share(missed.share, language),
        "low": formats.share(missed.low, language),
        "high": formats.share(missed.high, language),
        "chance": formats.with_unit(_whole(100 * suspicion.BY_CHANCE, language), "%"),
    }


def verdict(row: Mapping[str, Any], now: datetime, language: str) -> VerdictRow:
    """One verdict, of its columns by their names."""
    result, word = RESULTS[row["suspect"], row["confirmed"]]
    if result == "usual" and row["basis"] == "edge":
        word = NOT_COMPARED
    return VerdictRow(
        robot_id=row["robot_id"],
        at=row["at"].timestamp(),
        age=formats.age_of(row["at"], now),
        score=formats.number(row["edge_score"], 2, language),
        basis=str(BASES[row["basis"]]),
        result=result,
        word=str(word),
        sensors=sensors(row["drivers"], language),
    )


def _whole(value: float, language: str) -> str:
    return formats.number(value, 0, language)

"""What the page of weeks says, in one language. Asks no database."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.console.kpis.facts import Sums
from croody.web import formats, units


@dataclass(frozen=True, slots=True)
class Row:
    """A week, a site or a robot. `address`: where more of it is, empty for nowhere."""

    name: str
    uptime: str
    mtbf: str
    mttr: str
    readings: str
    gaps: str
    silent: str
    cycles: str
    distance: str
    failures: str
    interventions: str
    address: str = ""
    label: str = ""


def row(name: str, sums: Sums, language: str, *, address: str = "", label: str = "") -> Row:
    """One line of any of the tables."""

    def number(value: float | None, decimals: int = 0) -> str:
        return formats.NEVER if value is None else formats.number(value, decimals, language)

    far = formats.NEVER
    if sums.distance_m is not None:
        scale = units.scale("km")
        far = formats.with_unit(number(sums.distance_m / 1000 * scale.factor, 1), scale.unit)
    return Row(
        name=name,
        uptime=formats.percent(sums.minutes, sums.possible, language) if sums.possible else formats.NEVER,
        mtbf=_lasting(sums.mtbf_s),
        mttr=_lasting(sums.mttr_s),
        readings=number(sums.readings),
        gaps=number(sums.gaps),
        silent=_lasting(sums.gap_minutes * 60 if sums.gaps else None),
        cycles=number(sums.cycles, 1),
        distance=far,
        failures=number(sums.failures),
        interventions=number(sums.interventions),
        address=address,
        label=label,
    )


def sentence(sums: Sums, robots: int, weeks: int, language: str) -> str:
    """The answer, as the page's head."""
    if not robots:
        return _("Aún no hay robots")
    if not sums.possible:
        return _("Todavía no hay ningún día sumado")
    told = {"share": formats.percent(sums.minutes, sums.possible, language), "weeks": formats.number(weeks, 0, language)}
    text = ngettext(
        "Hubo lecturas el %(share)s del tiempo en %(weeks)s semana", "Hubo lecturas el %(share)s del tiempo en %(weeks)s semanas", weeks
    )
    return text % told


def aside(sums: Sums, language: str) -> str:
    """What stands below the head."""
    failures = ngettext("%(count)s alerta grave", "%(count)s alertas graves", sums.failures)
    acts = ngettext("%(count)s intervención", "%(count)s intervenciones", sums.interventions)
    counts = ((failures, sums.failures), (acts, sums.interventions))
    return " · ".join(text % {"count": formats.number(count, 0, language)} for text, count in counts)


def week(monday: date, language: str) -> str:
    """A week by its Monday."""
    month = formats.months(language).split()[monday.month - 1]
    return _("semana del %(day)s %(month)s %(year)s") % {"day": monday.day, "month": month, "year": monday.year}


def _lasting(seconds: float | None) -> str:
    return formats.age(seconds) if seconds is not None else formats.NEVER

"""Intruders, exceptions, calibrations and the detector's own state in words. Pure but for translation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms.kinds import SEVERITIES
from croody.console.detection.incident_facts import Intruders
from croody.detection.incidents import kinds, network_words
from croody.detection.incidents.calibrations import OLD, InForce
from croody.detection.incidents.evidence import BY_CODE
from croody.detection.models import Incident, IncidentException
from croody.detection.network.estimate import Estimate
from croody.detection.quality import Judged, Quality
from croody.web import formats

#: What can be said of an incident, and what was.
SAY: Final[Mapping[str, str | Promise]] = {
    "true": gettext_lazy("Era verdad"),
    "false": gettext_lazy("Falsa"),
    "benign_here": gettext_lazy("Normal aquí"),
}
_KINDS: Final[Mapping[str, str | Promise]] = {
    "guessed": gettext_lazy("adivinó un secreto"),
    "spoofing": gettext_lazy("publicar por otros"),
    "guessing": gettext_lazy("adivinar secretos"),
    "keys": gettext_lazy("probar claves de las API"),
    "accounts": gettext_lazy("probar muchas cuentas"),
    "listening": gettext_lazy("escuchar a otros"),
    "passwords": gettext_lazy("probar contraseñas"),
    "refusals": gettext_lazy("ser rechazado sin parar"),
    "forbidden": gettext_lazy("pedir lo ajeno"),
    "scanning": gettext_lazy("buscar direcciones"),
    "flood": gettext_lazy("inundar de conexiones"),
    "probing": gettext_lazy("enviar lo que no es MQTT"),
}
_JOBS: Final[Mapping[str, str | Promise]] = {
    "find_incidents": gettext_lazy("Buscar intrusos"),
    "score_windows": gettext_lazy("Juzgar ventanas"),
}


def kind(code: str) -> str:
    """A kind of evidence, in a few words."""
    return str(_KINDS[code]) if code in _KINDS else network_words.phrase(code) or code


def incident(one: Incident, *, may: bool, now: datetime, language: str) -> dict[str, Any]:
    """An incident of the list."""
    said = kinds.said(one.worst, one.evidence.get(one.worst, {}), one.offender, [str(name) for name in one.beside], language)
    others = [kind(code) for code in one.evidence if code != one.worst]
    return {
        "number": one.pk,
        "severity": one.severity,
        "word": SEVERITIES[one.severity],
        "offender": one.offender,
        "said": said,
        "others": _("También: %(kinds)s.") % {"kinds": ", ".join(sorted(others))} if others else "",
        "robots": ", ".join(one.robots[:3]) + (", …" if len(one.robots) > 3 else ""),
        "technique": BY_CODE[one.worst].technique if one.worst in BY_CODE else "",
        "first_at": one.first_at,
        "open": one.ended_at is None,
        "verdict": str(SAY.get(one.verdict, "")),
        "by": one.verdict_by,
        "may": may,
    }


def incidents(found: Intruders, now: datetime, language: str) -> list[dict[str, Any]]:
    """The list."""
    return [incident(one, may=one.pk in found.may_judge, now=now, language=language) for one in found.incidents]


def exception(one: IncidentException, *, may: bool, language: str) -> dict[str, Any]:
    """What is kept out of the inbox, for whom, how often so far, and until when."""
    hits = ngettext("contuvo %(count)s incidente", "contuvo %(count)s incidentes", one.hits) % {
        "count": formats.number(one.hits, 0, language)
    }
    if one.robot_id:
        where = _("solo del robot %(robot)s") % {"robot": one.robot_id}
    elif one.site is not None:
        where = _("solo en %(site)s") % {"site": one.site.name}
    else:
        where = _("en toda la organización")
    return {
        "number": one.pk,
        "offender": one.offender,
        "kind": kind(one.code),
        "where": where,
        "most": _("hasta %(most)s") % {"most": formats.number(one.most, 0, language)},
        "hits": hits,
        "last_at": one.last_hit_at,
        "reason": str(SAY.get(one.reason, "")),
        "by": one.by_name,
        "expires_at": one.expires_at,
        "may": may,
    }


def exceptions(found: Intruders, language: str) -> list[dict[str, Any]]:
    """All that hold."""
    return [exception(one, may=found.all_acts or one.organisation_id in found.acts, language=language) for one in found.exceptions]


def calibration(one: InForce, *, may: bool, now: datetime, language: str) -> dict[str, Any]:
    """What is ordinary at a place: how old, of what, and what speaks against it."""
    row, days = one.row, max(0, (now - one.row.made_at).days)
    age = ngettext("hace %(count)s día", "hace %(count)s días", days) % {"count": formats.number(days, 0, language)}
    doubts = []
    if one.newer:
        text = ngettext("%(robots)s llegó después.", "%(robots)s llegaron después.", len(one.newer))
        doubts.append(text % {"robots": ", ".join(one.newer[:3]) + (", …" if len(one.newer) > 3 else "")})
    if one.old:
        doubts.append(_("Nadie la confirmó en %(days)s días.") % {"days": formats.number(OLD.days, 0, language)})
    return {
        "number": row.pk,
        "place": f"{row.site.name} · {row.robot_id}" if row.robot_id else row.site.name,
        "made_at": row.made_at,
        "age": age if days else _("hoy"),
        "hash": row.sha256[:12],
        "files": ", ".join(sorted(row.made_of)[:3]),
        "by": row.by_name,
        "confirmed": row.confirmed_by,
        "confirmed_at": row.confirmed_at,
        "doubts": " ".join(doubts),
        "may": may,
    }


def calibrations(found: Intruders, now: datetime, language: str) -> list[dict[str, Any]]:
    """Those in force."""
    return [
        calibration(one, may=found.all_acts or one.row.site.organisation_id in found.acts, now=now, language=language)
        for one in found.calibrations
    ]


def well(found: Quality, language: str) -> dict[str, Any]:
    """Whether the detector itself is well, in a sentence; and what it noticed and left out."""
    ill = [str(_JOBS[job.name]) for job in found.jobs if not job.well]
    sentence = _("No trabaja: %(jobs)s. Mira la página del sistema.") % {"jobs": ", ".join(ill)} if ill else _("El detector trabaja.")
    noticed = sum(source.noticed for source in found.sources)
    left_out = sum(source.left_out for source in found.sources)
    if not found.sources:
        seen = _("En 24 horas nadie fue rechazado en el broker, las API ni las páginas.")
    else:
        text = _("En 24 horas notó %(noticed)s sucesos de %(sources)s; por falta de sitio dejó fuera %(left_out)s.")
        names = ", ".join(source.name for source in found.sources)
        numbers = {"noticed": formats.number(noticed, 0, language), "left_out": formats.number(left_out, 0, language)}
        seen = text % {"sources": names, **numbers}
    return {
        "well": found.well,
        "sentence": sentence,
        "seen": seen,
        "judged": judged(found.judged, language),
        "networks": networks(found, language),
    }


def networks(found: Quality, language: str) -> list[str]:
    """What screening of each network probably missed, with its interval, and how much stayed on board."""
    return [_network(one, language) for one in found.networks]


def _network(one: Estimate, language: str) -> str:
    whole = {name: formats.number(value, 0, language) for name, value in (("cleared", one.cleared), ("sent", one.sent))}
    saved = formats.with_unit(formats.number(100 * (one.saved or 0.0), 1, language), "%")
    said = {"robot": one.robot_id, "screen": one.screen, "saved": saved, **whole}
    if one.missed_windows is None:
        text = _("%(robot)s (%(screen)s): %(cleared)s ventanas de su red sin sospecha en 7 días; ninguna muestra todavía.")
        return text % said
    text = _(
        "%(robot)s (%(screen)s): de %(cleared)s ventanas de su red sin sospecha en 7 días se escaparon cerca de %(missed)s (con 95 %% de "
        "confianza, entre %(least)s y %(most)s). Subieron %(sent)s: el %(saved)s se quedó a bordo."
    )
    numbers = {"missed": one.missed_windows, "least": one.least, "most": one.most}
    return text % {**said, **{name: formats.number(value, 0, language) for name, value in numbers.items()}}


def judged(found: Judged, language: str) -> str:
    """What people said of incidents."""
    looked = found.true + found.false + found.benign_here
    if not looked:
        return _("Nadie ha dicho todavía qué era algún incidente: dilo en la lista, y aquí se verá cuántos eran falsos.")
    text = ngettext(
        "De %(looked)s incidente juzgado en 90 días: verdad %(true)s, normal aquí %(benign)s, falsos %(false)s, un %(share)s (con 95 %% de "
        "confianza, entre %(low)s y %(high)s).",
        "De %(looked)s incidentes juzgados en 90 días: verdad %(true)s, normal aquí %(benign)s, falsos %(false)s, un %(share)s (con 95 %% "
        "de confianza, entre %(low)s y %(high)s).",
        looked,
    )
    wrong = found.wrong
    counts = {"looked": looked, "true": found.true, "benign": found.benign_here, "false": found.false}
    shares = {"share": wrong.share or 0.0, "low": wrong.low, "high": wrong.high}
    return text % {
        **{name: formats.number(value, 0, language) for name, value in counts.items()},
        **{name: formats.with_unit(formats.number(100 * value, 0, language), "%") for name, value in shares.items()},
    }

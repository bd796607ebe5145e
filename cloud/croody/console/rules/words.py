"""Rules, channels and notices in the words of one language. Asks no database."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from croody.alarms.kinds import SEVERITIES
from croody.console.rules.facts import Overview
from croody.notices import services, spec
from croody.notices.kinds import quantity
from croody.notices.models import Channel, Notice, Rule
from croody.notices.preview import Preview
from croody.notices.spec import BadRule
from croody.telemetry.read import metrics
from croody.web import decimals, formats

KINDS: Final = {
    "threshold": gettext_lazy("Umbral"),
    "absence": gettext_lazy("Silencio"),
    "rate": gettext_lazy("Cambio"),
    "expression": gettext_lazy("Expresión"),
    "fence": gettext_lazy("Zona"),
}
CHANNELS: Final = {
    "mail": gettext_lazy("Correo"),
    "webhook": gettext_lazy("Webhook"),
    "apprise": gettext_lazy("Mensajero"),
}
#: Those that are a person's own, and the page of each.
OWN_CHANNELS: Final = {"mail": gettext_lazy("Correo, solo a ti"), "push": gettext_lazy("Tus navegadores")}
OWN: Final = {"mail": "console_own_channel", "push": "console_own_browsers"}
STATUSES: Final = {
    "pending": pgettext_lazy("notice", "en cola"),
    "sent": pgettext_lazy("notice", "entregado"),
    "failed": pgettext_lazy("notice", "no entregado"),
    "held": pgettext_lazy("notice", "retenido: más de lo que el canal lleva en una hora"),
    "needless": pgettext_lazy("notice", "no hizo falta"),
}


def sentence(found: Overview, language: str) -> str:
    """How many rules there are, and how many tell something now."""
    count, now = len(found.rules), sum(1 for rule in found.rules if found.firing.get(rule.pk))
    if not count:
        return _("Ninguna regla todavía")
    rules = ngettext("%(count)s regla", "%(count)s reglas", count) % {"count": formats.number(count, 0, language)}
    if not now:
        return _("%(rules)s, ninguna avisa ahora") % {"rules": rules}
    telling = ngettext("%(rules)s, %(count)s avisa ahora", "%(rules)s, %(count)s avisan ahora", now)
    return telling % {"rules": rules, "count": formats.number(now, 0, language)}


def rule(row: Rule, firing: int, mine: bool, now: datetime, language: str) -> dict[str, Any]:
    """A row of the list."""
    return {
        "number": row.pk,
        "name": row.name,
        "team": row.organisation.name,
        "what": what(row, language),
        "where": where(row),
        "severity": row.severity,
        "word": str(SEVERITIES[row.severity]),
        "state": state(row, firing, now, language),
        "firing": firing > 0,
        "mine": mine,
    }


def deleted(row: Rule, now: datetime, language: str) -> dict[str, Any]:
    """A rule that can be brought back: who deleted it, and how long it is kept."""
    assert row.deleted_at is not None
    left = max(1, (row.deleted_at + services.KEPT - now) // timedelta(days=1))
    days = ngettext("se guarda %(days)s día más", "se guarda %(days)s días más", left) % {"days": formats.number(left, 0, language)}
    said = {"name": row.deleted_by or "Croody", "ago": formats.age_of(row.deleted_at, now), "kept": days}
    return {
        "number": row.pk,
        "name": row.name,
        "what": what(row, language),
        "state": _("la borró %(name)s hace %(ago)s; %(kept)s") % said,
    }


def what(row: Rule, language: str) -> str:
    """`Temp. motor por encima de 80 °C durante 2 min`."""
    try:
        asked = spec.read(row.kind, row.params)
    except BadRule as error:
        return str(error)
    params = row.params
    text = ""
    match row.kind:
        case "threshold":
            name = asked.metrics[0]
            values = {"metric": metrics.describe(name).label(language), "limit": quantity(name, decimals.stored(params["limit"]), language)}
            above = params.get("side", "above") == "above"
            text = (_("%(metric)s por encima de %(limit)s") if above else _("%(metric)s por debajo de %(limit)s")) % values
        case "absence":
            time = formats.age(asked.silence_s)
            if asked.metrics:
                text = _("%(metric)s no llega en %(time)s") % {"metric": metrics.describe(asked.metrics[0]).label(language), "time": time}
            else:
                text = _("Ninguna lectura en %(time)s") % {"time": time}
        case "rate":
            name = asked.metrics[0]
            values = {
                "metric": metrics.describe(name).label(language),
                "limit": quantity(name, decimals.stored(params["limit"]), language, change=True),
            }
            above = params.get("side", "above") == "above"
            up, down = _("%(metric)s cambia más de %(limit)s por minuto"), _("%(metric)s cambia por debajo de %(limit)s por minuto")
            text = (up if above else down) % values
        case "expression":
            text = str(params["expression"])
        case _:
            text = _("Entra en la zona") if params.get("side") == "inside" else _("Sale de la zona")
    return _("%(what)s durante %(time)s") % {"what": text, "time": formats.age(row.for_s)} if row.for_s else text


def where(row: Rule) -> str:
    """Whom it is about."""
    if row.robot_id:
        return row.robot_id
    return row.site.name if row.site is not None else _("Todos los robots")


def state(row: Rule, firing: int, now: datetime, language: str) -> str:
    """What it says now, and when it could last say anything."""
    if not row.enabled:
        return _("apagada")
    if row.judged_at is None:
        return _("se juzga en segundos")
    if firing:
        return ngettext("avisa en %(count)s robot", "avisa en %(count)s robots", firing) % {"count": formats.number(firing, 0, language)}
    if not row.judged:
        return _("ahora no puede juzgar a ningún robot")
    text = ngettext("juzga a %(count)s robot", "juzga a %(count)s robots", row.judged)
    return text % {"count": formats.number(row.judged, 0, language)}


def preview(found: Preview, now: datetime, language: str) -> dict[str, Any]:
    """`Te habría avisado 4 veces en 30 días`, and when."""
    days = (now - found.since) // timedelta(days=1)
    count = {"count": formats.number(found.count, 0, language), "days": days}
    if not found.count:
        said = _("No te habría avisado ninguna vez en %(days)s días.") % count
    else:
        some = ngettext(
            "Te habría avisado %(count)s vez en %(days)s días.", "Te habría avisado %(count)s veces en %(days)s días.", found.count
        )
        said = some % count
    note = ""
    if found.robots < found.of:
        numbers = {"robots": formats.number(found.robots, 0, language), "of": formats.number(found.of, 0, language)}
        note = _("De los primeros %(robots)s robots de %(of)s.") % numbers
    elif not found.whole:
        note = _("Solo de lo más reciente: había más de lo que se mira de una vez.")
    moments = [
        {
            "robot_id": moment.robot_id,
            "begins": moment.begins,
            "lasted": formats.age((moment.ends - moment.begins).total_seconds()) if moment.ends is not None else "",
        }
        for moment in found.moments
    ]
    return {"said": said, "note": note, "moments": moments, "more": found.count - len(moments)}


def channel(row: Channel, mine: bool, language: str) -> dict[str, Any]:
    """A row of the list."""
    notes = []
    if row.after_min:
        notes.append(_("solo lo que nadie reconoce en %(time)s") % {"time": formats.age(row.after_min * 60)})
    if row.quiet_from:
        notes.append(_("de %(begin)s a %(end)s solo lo crítico") % {"begin": row.quiet_from, "end": row.quiet_to})
    if row.tells_end:
        notes.append(_("avisa también cuando termina"))
    if not row.enabled:
        notes.append(_("apagado"))
    return {
        "number": row.pk,
        "name": row.name,
        "team": row.organisation.name,
        "kind": str(OWN_CHANNELS[row.kind] if row.person_id is not None else CHANNELS[row.kind]),
        "target": masked(row),
        "own": OWN[row.kind] if row.person_id is not None else "",
        "slug": row.organisation.slug,
        "from": str(SEVERITIES[row.severity]),
        "severity": row.severity,
        "notes": notes,
        "mine": mine,
    }


def masked(row: Channel) -> str:
    """Where it leads, without what lets anybody write there."""
    if row.person_id is not None:
        return _("tu dirección confirmada") if row.kind == Channel.Kind.MAIL else _("los que apuntaste")
    if row.kind == Channel.Kind.MAIL:
        return ", ".join(row.target.split("\n"))
    head, _gap, rest = row.target.partition("://")
    return f"{head}://{rest.partition('/')[0]}/…" if row.kind == Channel.Kind.WEBHOOK else f"{head}://…"


def notice(row: Notice, language: str) -> dict[str, Any]:
    """A row of the log."""
    about = _("prueba")
    if row.alarm_id is not None:
        about = row.alarm.robot_id if row.alarm is not None else ""
    return {
        "at": row.created_at,
        "channel": row.channel.name,
        "about": about,
        "alarm": row.alarm_id,
        "over": row.over,
        "status": row.status,
        "word": str(STATUSES[row.status]),
        "tries": ngettext("%(count)s intento", "%(count)s intentos", row.attempts) % {"count": row.attempts} if row.attempts > 1 else "",
        "answer": row.answer,
    }

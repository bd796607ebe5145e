"""Models that a team trained, in words. Pure but for translation."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from croody.console.detection.model_facts import Model
from croody.detection.site_models import figures, fit, kinds
from croody.web import formats

STATES: Final[Mapping[str, str | Promise]] = {
    "kept": pgettext_lazy("model", "guardado, sin usar"),
    "shadow": pgettext_lazy("model", "a la sombra: juzga y no avisa"),
    "promoted": pgettext_lazy("model", "promovido: lo que sospecha avisa"),
}
#: What may be done with one in each state.
_ACTS: Final[Mapping[str, tuple[tuple[str, str | Promise], ...]]] = {
    "kept": (("shadow", gettext_lazy("Poner a la sombra")),),
    "shadow": (("promoted", gettext_lazy("Promover")), ("kept", gettext_lazy("Dejar de usar"))),
    "promoted": (("shadow", gettext_lazy("Devolver a la sombra")),),
}


def listed(models: Iterable[Model], language: str) -> list[dict[str, Any]]:
    """Each with what was measured of it, and the days beside the rules."""
    return [_one(model, language) for model in models]


def _one(model: Model, language: str) -> dict[str, Any]:
    row = model.row
    return {
        "number": row.pk,
        "state": row.state,
        "word": STATES[row.state],
        "made_at": row.made_at,
        "by": row.by_name,
        "state_at": row.state_at,
        "state_by": row.state_by,
        "why": model.why,
        "reason": kinds.reason(row.reason, language),
        "measured": measured(model.card, language) if model.card is not None else "",
        "hash": model.card["files"]["model.txt"][:12] if model.card is not None else "",
        "days": [
            {
                "day": day.day,
                **{name: formats.number(getattr(day, name), 0, language) for name in ("both", "only_rules", "only_model", "neither")},
            }
            for day in model.days
        ],
        "drift": drift(model, language),
        "acts": _ACTS[row.state] if model.may and (model.card is not None or row.state != "kept") else (),
        "may_promote": model.card is not None,
    }


def measured(card: Mapping[str, Any], language: str) -> str:
    """What it found of what it had not seen, and whether that adds to the rules."""
    held = card["held_out"]
    attacks, ordinary = held["attacks"], held["ordinary"]
    text = _(
        "De %(attacks)s ventanas de ataques que no había visto, las reglas notan %(rules)s y solo él otras %(more)s; de %(ordinary)s "
        "normales sospecha él solo de %(false)s. %(adds)s"
    )
    counts = {
        "attacks": sum(attacks.values()),
        "rules": attacks["both"] + attacks["only_rules"],
        "more": attacks["only_model"],
        "ordinary": sum(ordinary.values()),
        "false": ordinary["only_model"],
    }
    adds = (
        _("En el laboratorio suma a las reglas sin más incidentes por nada.")
        if card["adds"]
        else _("En el laboratorio no suma nada a las reglas, o suma incidentes por nada.")
    )
    said = text % {"adds": adds, **{name: formats.number(value, 0, language) for name, value in counts.items()}}
    few = fit.few_folds(card.get("folds"))
    return f"{said} {few}" if few else said


def drift(model: Model, language: str) -> str:
    """How far its scores have moved, and how many incidents were its own."""
    if model.drift is None:
        return ""
    if model.drift.psi is None:
        text = _("Deriva: se dirá cuando haya juzgado %(least)s ventanas sin sospecha; van %(windows)s.")
        counts = {"least": figures.LEAST, "windows": model.drift.windows}
        return text % {name: formats.number(value, 0, language) for name, value in counts.items()}
    text = _("Deriva de 7 días (PSI): %(psi)s; desde %(limit)s vuelve a la sombra.")
    said = text % {
        "psi": formats.number(model.drift.psi, 2, language),
        "limit": formats.number(figures.MOST_DRIFT, 2, language),
    }
    if model.row.state != "promoted":
        return said
    text = _("Incidentes que solo dice él en 24 h: %(alone)s; con más de %(most)s vuelve a la sombra.")
    return f"{said} {text % {'alone': formats.number(model.alone, 0, language), 'most': figures.MOST_ALONE}}"

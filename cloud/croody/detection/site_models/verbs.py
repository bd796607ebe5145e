"""`croody ids train` and `croody ids models`: for who administers the server."""

import json
import platform
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.models import Organisation
from croody.audit.actor import command_actor
from croody.detection.models import SiteModel
from croody.detection.site_models import figures, fit, lab, labelled_windows, registry
from croody.detection.site_models.refusal import Refused
from croody.detection.site_models.rows import FEATURES
from croody_contract.flows import calibration

Say = Callable[[str], Any]
_ACTS: Final = {"shadow": SiteModel.State.SHADOW, "promote": SiteModel.State.PROMOTED, "stop": SiteModel.State.KEPT}
_VERSION: Final = 1
_MOST_DAYS: Final = 366


def add_arguments(verbs: Any) -> None:
    """Of both verbs."""
    train: ArgumentParser = verbs.add_parser("train", help=_("un modelo de tus propios datos, que se queda guardado sin usarse"))
    train.add_argument("--lab", metavar="DIR", type=Path, help=_("sesiones que hizo croody-sim attack, con sus etiquetas"))
    train.add_argument("--benign", metavar="FILE", type=Path, action="append", help=_("captura de tu red sin nada raro; se puede repetir"))
    train.add_argument("--calibration", metavar="FILE", type=Path, help=_("lo habitual donde se grabaron las de --benign"))
    train.add_argument("--days", metavar="N", type=int, default=30, help=_("ventanas y veredictos de los últimos días; sin ella 30"))
    train.add_argument("--seed", metavar="K", type=int, default=1, help=_("los mismos datos y semilla dan el mismo modelo"))
    models: ArgumentParser = verbs.add_parser("models", help=_("los modelos guardados: list, show, shadow, promote, stop"))
    models.add_argument("act", nargs="?", choices=("list", "show", *_ACTS), default="list", help=_("qué se hace; sin ella list"))
    models.add_argument("number", nargs="?", type=int, help=_("de qué modelo"))
    models.add_argument("--json", action="store_true", help=_("como JSON"))
    for verb in (train, models):
        verb.add_argument("--organisation", metavar="NAME", help=_("la organización, si hay varias"))


def train(options: dict[str, Any], say: Say) -> None:
    """Read what is known, fit, judge by what was left out, keep.

    Raises:
        CommandError, fit.TooLittle, Refused: it cannot be made.
    """
    team, now = _team(options["organisation"]), timezone.now()
    if not 1 <= options["days"] <= _MOST_DAYS:
        raise CommandError(f"--days {options['days']}: 1 to {_MOST_DAYS}")
    since = now - timedelta(days=options["days"])
    windows = labelled_windows.read(team, since)
    sessions: list[lab.Session] = []
    made_of: dict[str, str] = {}
    reads = [lab.read(options["lab"], options["seed"])] if options["lab"] else []
    reads += [lab.benign(options["benign"], _maxima(options["calibration"]), options["seed"])] if options["benign"] else []
    for read in reads:
        windows, sessions, made_of = [*windows, *read.windows], [*sessions, *read.sessions], {**made_of, **read.made_of}
    try:
        fitted = fit.fit(windows, sessions, options["seed"])
    except (ImportError, OSError) as error:
        raise CommandError(f"LightGBM: {error}: pip install -r requirements/cloud.txt, and the system's libgomp1") from error
    card = _card(fitted, windows, made_of, since, now, options["seed"])
    row = registry.keep(team, card, fitted.text, actor=command_actor(), now=now)
    _told(row, card, say)
    say(_("Nadie lo usa todavía. Míralo juzgar sin avisar: croody ids models shadow %(number)s") % {"number": row.pk})


def models(options: dict[str, Any], say: Say) -> None:
    """List them, show one, or say how one is used.

    Raises:
        CommandError, Refused: there is none of that number, or it cannot be used so.
    """
    rows, now = SiteModel.objects.select_related("organisation").order_by("-pk"), timezone.now()
    if options["organisation"]:
        rows = rows.filter(organisation=_team(options["organisation"]))
    if options["act"] == "list":
        for row in rows[: 10 * registry.MOST]:
            say(json.dumps(_as_json(row, now)) if options["json"] else _line(row))
        return
    chosen = rows.filter(pk=options["number"]).first() if options["number"] is not None else None
    if chosen is None:
        raise CommandError(_("modelo %(number)s: no hay ninguno; croody ids models los lista") % {"number": options["number"] or ""})
    if options["act"] in _ACTS:
        row = registry.put_by_command(chosen, _ACTS[options["act"]], actor=command_actor(), now=now)
        say(_line(row))
    elif options["json"]:
        say(json.dumps(_as_json(chosen, now), indent=1))
    else:
        _told(chosen, registry.card_of(chosen), say)
        _beside(chosen, now, say)


def _card(fitted: fit.Fitted, windows: list[Any], made_of: dict[str, str], since: datetime, now: datetime, seed: int) -> dict[str, Any]:
    hashed = sha256()
    for one in windows:
        hashed.update(json.dumps([one.vector, one.attack, one.group]).encode())
    return {
        "version": _VERSION,
        "made_at": now.isoformat(timespec="seconds"),
        "since": since.isoformat(timespec="seconds"),
        "seed": seed,
        "features": list(FEATURES),
        "threshold": fitted.threshold,
        "edges": fitted.edges,
        "reference": fitted.reference,
        "captures": made_of,
        "windows_sha256": hashed.hexdigest(),
        "made_with": {"python": platform.python_version(), **{name: version(name) for name in ("croody", "lightgbm", "numpy")}},
        **fitted.report,
    }


def _told(row: SiteModel, card: dict[str, Any], say: Say) -> None:
    """The card, for a person."""
    say(_line(row))
    say(f"sha256 {card['files'][registry.FILE]}" if "files" in card else f"seed {card['seed']}")
    for source, of in card["windows"].items():
        text = _("de %(source)s: %(windows)s ventanas, %(attacks)s de ataques, en %(groups)s grupos")
        say(text % {"source": source, **of})
    for what, word in (("attacks", _("ventanas de ataques que no había visto")), ("ordinary", _("ventanas normales que no había visto"))):
        text = _(
            "%(word)s: %(both)s las nota con las reglas, %(only_rules)s solo las reglas, %(only_model)s solo el modelo, %(neither)s nadie"
        )
        say(text % {"word": word, **card["held_out"][what]})
    if few := fit.few_folds(card.get("folds")):
        say(few)
    for family, of in card["families_left_out"].items():
        say(_("sin haber visto %(family)s: nota %(found)s de %(windows)s ventanas") % {"family": family, **of})
    if card["sessions"]["sessions"]:
        text = _(
            "en el laboratorio (%(hours)s h): de %(attacks)s ataques las reglas notan %(named)s, con el modelo %(named_with_model)s; "
            "incidentes por nada: %(false)s, con el modelo %(false_with_model)s"
        )
        say(text % card["sessions"])
    nothing = _("No suma nada a las reglas, o suma incidentes por nada.")
    say(_("Suma a las reglas sin más incidentes por nada.") if card["adds"] else nothing)


def _beside(row: SiteModel, now: datetime, say: Say) -> None:
    for day in figures.days(row, now):
        text = _("%(day)s: los dos %(both)s, solo las reglas %(only_rules)s, solo el modelo %(only_model)s, nadie %(neither)s")
        say(text % asdict(day))
    drift = figures.drift(row, registry.card_of(row), now)
    if drift.psi is not None:
        say(_("deriva (PSI) %(psi)s, límite %(limit)s") % {"psi": f"{drift.psi:.2f}", "limit": figures.MOST_DRIFT})


def _line(row: SiteModel) -> str:
    return f"{row.pk:4}  {row.state:8}  {row.made_at:%Y-%m-%d %H:%M}  {row.organisation.slug}  {row.by_name}"


def _as_json(row: SiteModel, now: datetime) -> dict[str, Any]:
    try:
        card, refused = registry.card_of(row), None
    except Refused as error:
        card, refused = None, str(error)
    return {
        "number": row.pk,
        "organisation": row.organisation.slug,
        "state": row.state,
        "state_at": row.state_at.isoformat(),
        "state_by": row.state_by,
        "reason": row.reason or None,
        "refused": refused,
        "card": card,
        "days": [{**asdict(day), "day": day.day.isoformat()} for day in figures.days(row, now)],
    }


def _team(slug: str | None) -> Organisation:
    found = list((Organisation.objects.filter(slug=slug) if slug else Organisation.objects.order_by("pk"))[:2])
    if len(found) != 1:
        text = _("hay varias organizaciones: di cuál con --organisation") if found else _("no hay tal organización: %(slug)s")
        raise CommandError(text % {"slug": slug or ""})
    return found[0]


def _maxima(path: Path | None) -> Any:
    if path is None:
        return None
    with path.open("rb") as file:
        return calibration.parse(file.read(calibration.MAX_BYTES), str(path))

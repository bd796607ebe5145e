"""The models that a team's site trained: kept with their cards, checked whenever they are asked, and in use as a person says.

A model is `kept`, or in `shadow`: it judges and nobody is told; or `promoted`: what it suspects is evidence. One of a team is in use.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.alarms.services import resolve_alarm
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.detection.incidents.exceptions import MOST_ID
from croody.detection.models import SiteModel
from croody.detection.nslkdd.detector import Booster
from croody.detection.nslkdd.model import Unavailable, open_booster
from croody.detection.site_models import figures, signing
from croody.detection.site_models.kinds import MODEL_RETURNED
from croody.detection.site_models.refusal import Refused
from croody.fleet import access
from croody.fleet.access import Action
from croody.web.refusals import Denied

State = SiteModel.State
FILE: Final = "model.txt"
#: Of a team; the oldest that is not in use goes.
MOST: Final = 20
#: No model is larger, in characters.
LARGEST: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that was found whole, and this site's own."""

    number: int
    promoted: bool
    booster: Booster
    names: tuple[str, ...]
    threshold: float


def keep(team: Organisation, card: Mapping[str, Any], text: str, *, actor: Actor, now: datetime) -> SiteModel:
    """Sign it and keep it, in no use.

    Raises:
        Refused: it is too large, or nobody can sign here.
    """
    if len(text) > LARGEST:
        told = _("modelo de %(size)s letras, como mucho %(most)s: entrena otro con menos datos (croody ids train)")
        raise Refused(told % {"size": len(text), "most": LARGEST})
    files = {FILE: hashlib.sha256(text.encode()).hexdigest()}
    whole = json.dumps({**card, "organisation": team.slug, "files": files}, sort_keys=True)
    signature = signing.sign(whole.encode())
    with transaction.atomic():
        row = SiteModel.objects.create(
            organisation=team, made_at=now, by_name=actor.name[:150], card=whole, signature=signature, text=text, state_at=now
        )
        mine = SiteModel.objects.filter(organisation=team).order_by("-pk")
        old = list(mine.filter(state=State.KEPT).exclude(pk=row.pk).values_list("pk", flat=True)[MOST - 1 : 2 * MOST])
        SiteModel.objects.filter(pk__in=old).delete()
        record(actor, "keep", "model", str(row.pk), organisation_id=team.pk, after={"sha256": files[FILE]}, now=now)
    return row


def visible_to(caller: Caller) -> QuerySet[SiteModel]:
    """Those of the caller's teams, the newest first."""
    teams = access.organisations(caller, Action.ASSESS).values("pk")
    return SiteModel.objects.filter(organisation__in=teams).select_related("organisation").order_by("-pk")


def card_of(row: SiteModel) -> dict[str, Any]:
    """What was signed, of a model that is whole.

    Raises:
        Refused: it is damaged, or another site's.
    """
    return _checked(row.card, row.signature, row.text, row.organisation.slug)


def opened(row: SiteModel) -> Opened:
    """A model, to be asked.

    Raises:
        Refused: it is damaged, another site's, or LightGBM cannot start.
    """
    card = card_of(row)
    return Opened(row.pk, row.state == State.PROMOTED, _booster(row.text), tuple(card["features"]), float(card["threshold"]))


def _checked(card: str, signature: str, text: str, team: str) -> dict[str, Any]:
    signing.check(card.encode(), signature)
    told: dict[str, Any] = json.loads(card)
    found, wanted = hashlib.sha256(text.encode()).hexdigest(), told["files"][FILE]
    if found != wanted:
        wrong = _("%(file)s está dañado: su SHA-256 es %(found)s..., la ficha dice %(wanted)s...: entrena otro con croody ids train")
        raise Refused(wrong % {"file": FILE, "found": found[:16], "wanted": wanted[:16]})
    if told["organisation"] != team:
        wrong = _("es de la organización %(theirs)s, no de %(team)s: entrena otro con croody ids train")
        raise Refused(wrong % {"theirs": told["organisation"], "team": team})
    return told


@lru_cache(maxsize=4)
def _booster(text: str) -> Booster:
    try:
        return open_booster(text, "train another one with croody ids train")
    except Unavailable as error:
        raise Refused(str(error)) from error


def put(caller: Caller, number: int, state: str, *, actor: Actor, now: datetime) -> SiteModel:
    """Put a model into a state, as a person: any into the shadow, one from the shadow into use, one out of use.

    Raises:
        Refused: it is not whole, or has not been seen enough to be promoted.
        Denied: 404, they may not know of it, or there is none; 403, they may only look at it.
    """
    with transaction.atomic():
        row = visible_to(caller).filter(pk=number).first() if 0 < number <= MOST_ID else None
        if row is None:
            raise Denied(404, f"there is no model {number} that you may see")
        if not access.organisations(caller, Action.CONFIGURE).filter(pk=row.organisation_id).exists():
            raise Denied(403, f"model {number}: only {access.names_of(Action.CONFIGURE)} of its organisation may say how it is used")
        return put_by_command(row, state, actor=actor, now=now)


def put_by_command(row: SiteModel, state: str, *, actor: Actor, now: datetime, reason: Mapping[str, Any] | None = None) -> SiteModel:
    """The same by who administers the server, or by the clock with a reason.

    Raises:
        Refused: as `put`.
    """
    if state not in State.values:
        wrong = _("estado %(state)r: usa uno de %(states)s")
        raise Refused(wrong % {"state": state[:20], "states": ", ".join(State.values)})
    if state != State.KEPT and reason is None:
        card = card_of(row)
        if state == State.PROMOTED:
            _check_seen(row, card, now)
    with transaction.atomic():
        others = SiteModel.objects.select_for_update().filter(organisation=row.organisation_id).exclude(state=State.KEPT).exclude(pk=row.pk)
        if state != State.KEPT:
            others.update(state=State.KEPT, state_at=now, state_by=actor.name[:150], reason={})
        before, row.state, row.state_at = row.state, state, now
        row.state_by, row.reason = actor.name[:150], dict(reason or {})
        row.save(update_fields=["state", "state_at", "state_by", "reason"])
        if reason is None:
            # A person has said how a model is used: what the clock did before is dealt with.
            resolve_alarm("", MODEL_RETURNED.code, str(row.organisation_id), now)
        after = {"state": state, **row.reason}
        record(
            actor, _VERBS[state], "model", str(row.pk), organisation_id=row.organisation_id, before={"state": before}, after=after, now=now
        )
    return row


_VERBS: Final[Mapping[str, str]] = {State.KEPT: "stop", State.SHADOW: "shadow", State.PROMOTED: "promote"}


def _check_seen(row: SiteModel, card: Mapping[str, Any], now: datetime) -> None:
    """Somebody has to have seen it beside the rules, on windows like those that it was made for."""
    if row.state != State.SHADOW:
        wrong = _("el modelo %(number)s no está en la sombra: deja que antes juzgue ahí (croody ids models shadow %(number)s)")
        raise Refused(wrong % {"number": row.pk})
    seen = sum(day.windows for day in figures.days(row, now))
    if seen < figures.LEAST:
        wrong = _("el modelo %(number)s juzgó %(seen)s ventanas en la sombra y hacen falta %(least)s: espera a que juzgue más")
        raise Refused(wrong % {"number": row.pk, "seen": seen, "least": figures.LEAST})
    drift = figures.drift(row, card, now)
    if drift.psi is not None and drift.psi > figures.MOST_DRIFT:
        wrong = _(
            "el modelo %(number)s: sus puntajes aquí no son aquellos para los que se hizo (PSI %(psi).2f, como mucho %(most)s): "
            "entrena uno con las ventanas de ahora"
        )
        raise Refused(wrong % {"number": row.pk, "psi": drift.psi, "most": figures.MOST_DRIFT})

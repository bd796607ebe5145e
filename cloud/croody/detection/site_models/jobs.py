"""What runs by the clock for models: one that says too much, or whose windows have changed, goes back to the shadow, with an alarm."""

import logging
from datetime import datetime

from django.db import transaction

from croody.alarms.services import raise_alarm
from croody.audit.actor import SYSTEM
from croody.detection.models import SiteModel
from croody.detection.site_models import figures, registry
from croody.detection.site_models.kinds import MODEL_RETURNED
from croody.detection.site_models.refusal import Refused

log = logging.getLogger(__name__)


def watch_models(now: datetime) -> None:
    """Look at those that are promoted. A person alone promotes one again."""
    for row in SiteModel.objects.filter(state=SiteModel.State.PROMOTED).select_related("organisation"):
        alone = figures.alone(row, now)
        if alone > figures.MOST_ALONE:
            _back(row, {"why": "rate", "value": alone, "limit": figures.MOST_ALONE}, now)
            continue
        try:
            drift = figures.drift(row, registry.card_of(row), now)
        except Refused:
            # Whoever asks it for an opinion writes that down.
            continue
        if drift.psi is not None and drift.psi > figures.MOST_DRIFT:
            _back(row, {"why": "drift", "value": round(drift.psi, 3), "limit": figures.MOST_DRIFT}, now)


def _back(row: SiteModel, reason: dict[str, str | float], now: datetime) -> None:
    with transaction.atomic():
        registry.put_by_command(row, SiteModel.State.SHADOW, actor=SYSTEM, now=now, reason=reason)
        team = row.organisation_id
        detail = {"model": row.pk, **reason}
        raise_alarm("", MODEL_RETURNED, str(team), MODEL_RETURNED.severity, detail, now, organisation=team)
    log.warning("model %s of %s is back in the shadow: %s", row.pk, row.organisation.slug, reason)

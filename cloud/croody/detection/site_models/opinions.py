"""What the models in use say of live windows. One that is refused has no opinion, and rules go on."""

import logging
from collections.abc import Iterable, Mapping
from math import exp
from typing import Any, NamedTuple

from croody.detection.incidents.evidence import LOOKALIKE, Piece
from croody.detection.models import SiteModel
from croody.detection.site_models import registry
from croody.detection.site_models.refusal import Refused
from croody.detection.site_models.rows import vector
from croody_contract.flows.counters import WINDOWS
from croody_contract.flows.limits import Maxima

log = logging.getLogger(__name__)


class Opinion(NamedTuple):
    """A model's score (log-odds) of a window. `piece`: evidence, where it suspects and is promoted."""

    model: int
    score: float
    piece: Piece | None


class Opinions:
    """The models in use of some teams, opened once; one that is refused is written down, and has no opinion."""

    def __init__(self, teams: Iterable[int | None]) -> None:
        self._opened: dict[int, registry.Opened] = {}
        rows = SiteModel.objects.filter(organisation__in={team for team in teams if team is not None}).exclude(state=SiteModel.State.KEPT)
        for row in rows.select_related("organisation"):
            try:
                self._opened[row.organisation_id] = registry.opened(row)
            except Refused as error:
                self._note(row, str(error))

    def of(self, team: int | None, windows: Mapping[str, Any], maxima: Maxima | None) -> Opinion | None:
        """Of one window of this team's; None where no model is in use."""
        model = self._opened.get(team) if team is not None else None
        if model is None:
            return None
        score = float(model.booster.predict([vector(windows, maxima, model.names)], raw_score=True, num_threads=1)[0])
        piece = _piece(score, model.threshold) if model.promoted and score > model.threshold else None
        return Opinion(model.number, score, piece)

    @staticmethod
    def _note(row: SiteModel, said: str) -> None:
        reason = {"why": "refused", "said": said[:500]}
        if row.reason != reason:
            log.warning("model %s of %s is refused: %s", row.pk, row.organisation.slug, said)
            SiteModel.objects.filter(pk=row.pk).update(reason=reason)


def _piece(score: float, threshold: float) -> Piece:
    limit = percent(threshold)
    return Piece(LOOKALIKE, max(limit, percent(score)), limit, WINDOWS[0])


def percent(score: float) -> int:
    """Log-odds as a number of 0 to 100."""
    return round(100 / (1 + exp(-max(-50.0, min(50.0, score)))))

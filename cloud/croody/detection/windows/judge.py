"""One window to one verdict, against the robot's baseline. Reads and writes `Usual` rows; `baseline` and `suspicion` hold the rules."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from croody.detection.models import Usual, Verdict
from croody.detection.windows import baseline, suspicion
from croody.telemetry.models import Record

#: So many other robots' windows stand in while a robot has too few of its own.
FLEET: Final = 20
#: Edge models of one robot whose usual is kept.
MOST_MODELS: Final = 8


@dataclass(slots=True)
class Usuals:
    """The usual of the robots on one page of windows: read when first needed, written by `save`.

    Every window of the page is compared with what was usual before the page.
    """

    now: datetime
    rows: dict[tuple[str, str], Usual] = field(default_factory=dict)
    changed: set[tuple[str, str]] = field(default_factory=set)
    fleet: dict[str, list[Usual]] = field(default_factory=dict)
    known: dict[tuple[str, str, tuple[str, ...]], tuple[Verdict.Basis, baseline.Known | None]] = field(default_factory=dict)

    def own(self, robot_id: str, model: str, names: list[str]) -> Usual:
        """This robot's row. Other sensors than before start from nothing."""
        key = (robot_id, model)
        if key not in self.rows:
            found = Usual.objects.filter(robot_id=robot_id, edge_model=model).first()
            self.rows[key] = found or Usual(robot_id=robot_id, edge_model=model, names=names)
        row = self.rows[key]
        if row.names != names:
            row.names, row.summaries = names, []
        return row

    def add(self, row: Usual, summary: baseline.Summary) -> None:
        """Remember one more cleared window; the oldest goes."""
        row.summaries = [*row.summaries, summary][-baseline.MOST :]
        row.updated_at = self.now
        self.changed.add((row.robot_id, row.edge_model))

    def reference(self, row: Usual) -> tuple[Verdict.Basis, baseline.Known | None]:
        """What this robot's windows are compared with: its own usual, else the fleet's. Too few of these only name sensors: `EDGE`."""
        key = (row.robot_id, row.edge_model, tuple(row.names))
        if key not in self.known:
            self.known[key] = self._reference(row)
        return self.known[key]

    def _reference(self, row: Usual) -> tuple[Verdict.Basis, baseline.Known | None]:
        if len(row.summaries) >= baseline.LEAST:
            return Verdict.Basis.BASELINE, baseline.prepare(row.summaries)
        pooled = self._pooled(row.edge_model, row.names)
        if len(pooled) >= baseline.LEAST:
            return Verdict.Basis.FLEET, baseline.prepare(pooled)
        return Verdict.Basis.EDGE, baseline.prepare(pooled) if len(pooled) >= baseline.LEAST_TO_NAME else None

    def _pooled(self, model: str, names: list[str]) -> list[baseline.Summary]:
        """Cleared windows of other robots with the same edge model and sensors, a few of each."""
        if model not in self.fleet:
            self.fleet[model] = list(Usual.objects.filter(edge_model=model).order_by("-updated_at")[:FLEET])
        rows = [row for row in self.fleet[model] if row.names == names]
        share = baseline.MOST // max(1, len(rows))
        return [summary for row in rows for summary in row.summaries[-share:]]

    def save(self) -> None:
        """Write what was added."""
        for key in sorted(self.changed):
            fresh = self.rows[key].pk is None
            self.rows[key].save()
            if fresh:
                # A robot names its model in each window: the names that it used last are enough.
                mine = Usual.objects.filter(robot_id=key[0]).order_by("-updated_at", "-pk")
                Usual.objects.filter(pk__in=list(mine.values_list("pk", flat=True)[MOST_MODELS:])).delete()
        self.changed.clear()


def judge(record: Record, usuals: Usuals) -> Verdict:
    """The verdict on a `window` record, not yet saved. What the edge cleared becomes part of the robot's usual, after it was judged."""
    data: dict[str, Any] = record.data
    model, names, suspect, edge_score = str(data["model"]), list(data["names"]), bool(data["suspect"]), float(data["score"])
    basis, comparison = Verdict.Basis.EDGE, None
    if names and data["features"]:
        summary = baseline.summarise(data["features"])
        own = usuals.own(record.robot_id, model, names)
        basis, known = usuals.reference(own)
        if known is not None:
            comparison = baseline.compare(summary, known, names)
        if not suspect:
            usuals.add(own, summary)
    deviation = comparison.deviation if comparison and basis != Verdict.Basis.EDGE else None
    return Verdict(
        robot_id=record.robot_id,
        stream=record.stream,
        seq=record.seq,
        at=record.at,
        judged_at=usuals.now,
        edge_model=model,
        edge_score=edge_score,
        suspect=suspect,
        sampled=bool(data.get("sampled", False)),
        basis=basis,
        deviation=deviation,
        confirmed=suspicion.confirmed(suspect=suspect, edge_score=edge_score, deviation=deviation),
        drivers=comparison.drivers if comparison else {},
    )

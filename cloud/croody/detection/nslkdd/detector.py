"""The detector as it is used: two opinions, one evidence, one score, a class, and what drove it. Pure; loaded by `model`."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from croody.detection.nslkdd.autoencoder import Autoencoder
from croody.detection.nslkdd.evidence import Array, Calibration, Reference, fuse
from croody.detection.nslkdd.features import CLASSES

Matrix = NDArray[np.float64]


class Booster(Protocol):
    """What we use of `lightgbm.Booster`."""

    def predict(self, data: Any, **options: Any) -> Any:
        """Raw scores, class probabilities or contributions."""
        ...


@dataclass(frozen=True, slots=True)
class Scores:
    """One entry a row. `rarity`: share of the benign traffic of training with at least this evidence."""

    attack: NDArray[np.bool_]
    score: Array
    rarity: Array
    p_known: Array
    p_usual: Array
    classes: list[str]
    class_probability: Array


@dataclass(frozen=True, slots=True)
class Detector:
    """LightGBM knows attacks by example, the autoencoder knows only what is benign."""

    known: Booster
    kind: Booster
    usual: Autoencoder
    known_reference: Reference
    usual_reference: Reference
    evidence_reference: Reference
    calibration: Calibration
    #: Evidence at the false-positive budget; above it is an attack.
    evidence_threshold: float

    @property
    def threshold(self) -> float:
        """The score at the false-positive budget."""
        return float(self.calibration.probability(np.array([self.evidence_threshold]))[0])

    def opinions(self, matrix: Matrix) -> tuple[Array, Array]:
        """p-values of both opinions, each of shape (n,)."""
        known = np.asarray(self.known.predict(matrix, raw_score=True, num_threads=1), dtype=np.float64)
        usual = self.usual.errors(matrix).sum(axis=1).astype(np.float64)
        return self.known_reference.p_value(known), self.usual_reference.p_value(usual)

    def score(self, matrix: Matrix) -> Scores:
        """Judge rows of `features.encode`."""
        p_known, p_usual = self.opinions(matrix)
        evidence = fuse(p_known, p_usual)
        attack = evidence > self.evidence_threshold
        shares = np.zeros((len(matrix), len(CLASSES)))
        if attack.any():
            shares[attack] = self.kind.predict(matrix[attack], num_threads=1)
        best = shares.argmax(axis=1)
        return Scores(
            attack=attack,
            score=self.calibration.probability(evidence),
            rarity=self.evidence_reference.p_value(evidence),
            p_known=p_known,
            p_usual=p_usual,
            classes=[CLASSES[place] if hit else "normal" for place, hit in zip(best, attack, strict=True)],
            class_probability=shares.max(axis=1),
        )

    def drivers(self, matrix: Matrix) -> tuple[Matrix, Matrix]:
        """What drove each row: log-odds of LightGBM by feature, and shares of the reconstruction error; both (n, 41)."""
        log_odds = np.asarray(self.known.predict(matrix, pred_contrib=True, num_threads=1), dtype=np.float64)[:, :-1]
        errors = self.usual.errors(matrix).astype(np.float64)
        return log_odds, errors / np.maximum(errors.sum(axis=1, keepdims=True), 1e-12)

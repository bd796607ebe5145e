"""From raw scores to evidence: p-values against held-out benign traffic, and how two of them become one. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """How often benign traffic that no model was fitted on scores at least so high.

    `knots` rise; `shares[i]` is the share of benign rows that score `knots[i]` or more, at least 1 / (rows + 1).
    """

    knots: Array
    shares: Array

    @classmethod
    def of(cls, scores: Array, *, keep: int = 600) -> "Reference":
        """Fold benign scores: the highest `keep` of them exactly, the rest (where nothing is decided) as a coarse grid."""
        ordered = np.sort(scores)
        n = len(ordered)
        tail = ordered[-min(keep, n) :]
        grid = np.quantile(ordered, np.linspace(0, 1, 101))
        knots = np.unique(np.concatenate([grid, tail]))
        counts = n - np.searchsorted(ordered, knots, side="left")
        return cls(knots, np.maximum(counts, 1) / (n + 1))

    def p_value(self, scores: Array) -> Array:
        """Share of benign traffic at least as suspicious, in (0, 1]. Never 0: what was not seen in n rows is 1 / (n + 1)."""
        return np.asarray(np.interp(scores, self.knots, self.shares), dtype=np.float64)


def fuse(*p_values: Array) -> Array:
    """Fisher's sum -2 ln p over the opinions, halved: 0 says nothing, more is more suspicious."""
    return np.asarray(-sum(np.log(p) for p in p_values), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Evidence -> probability of an attack when half of the connections are attacks: logistic, so order is kept."""

    slope: float
    intercept: float

    def probability(self, evidence: Array) -> Array:
        """In (0, 1)."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * evidence + self.intercept))), dtype=np.float64)

    @classmethod
    def fit(cls, evidence: Array, attack: NDArray[np.bool_], weight: Array, *, steps: int = 100) -> "Calibration":
        """Weighted logistic regression by Newton's method, slightly held back so that separable data stay finite."""
        x = np.stack([evidence, np.ones_like(evidence)], axis=1)
        beta = np.zeros(2)
        total = weight / weight.sum()
        for _ in range(steps):
            p = 1 / (1 + np.exp(-np.clip(x @ beta, -40, 40)))
            gradient = x.T @ (total * (p - attack)) + 1e-4 * beta
            curvature = (x * (total * p * (1 - p))[:, None]).T @ x + 1e-4 * np.eye(2)
            step = np.linalg.solve(curvature, gradient)
            beta = beta - step
            if np.abs(step).max() < 1e-10:
                break
        return cls(float(beta[0]), float(beta[1]))

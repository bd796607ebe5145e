"""Fits one detector on training data alone, from one seed. The protocol is fixed here; nothing of it is chosen on a test set.

Benign rows are parted 60/15/15/10: to fit, for the p-values, for threshold and calibration, and to check. Attacks are
parted 80/10/10. The threshold is a false-positive budget on benign rows that neither model nor p-values have seen.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import lightgbm
import numpy as np
from nslkdd import Table
from numpy.typing import NDArray

from croody.detection.nslkdd.autoencoder import NUMBERS, Autoencoder, Scaling
from croody.detection.nslkdd.detector import Detector
from croody.detection.nslkdd.evidence import Array, Calibration, Reference, fuse
from croody.detection.nslkdd.features import CLASSES, NAMES, WORDS

Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]

BUDGET: Final = 0.01
BUDGETS: Final = (0.01, 0.001)
#: Few leaves, half of the features a tree: with more it was surer, and wrong more often, on families left out.
LIGHTGBM: Final[dict[str, Any]] = {
    "learning_rate": 0.1,
    "num_leaves": 15,
    "feature_fraction": 0.5,
    "min_data_in_leaf": 100,
    "lambda_l2": 5.0,
    "max_cat_threshold": 16,
}
TREES: Final = 60
KIND_TREES: Final = 40
HIDDEN: Final = (64, 16, 64)
EPOCHS: Final = 60
CLIP: Final = 10.0
SMALLEST_DEVIATION: Final = 0.01
_CATEGORIES: Final = [NAMES.index(name) for name in WORDS]


@dataclass(frozen=True, slots=True)
class Split:
    """Indices into the deduplicated training table."""

    benign_fit: Rows
    benign_reference: Rows
    benign_threshold: Rows
    benign_check: Rows
    attack_fit: Rows
    attack_threshold: Rows
    attack_check: Rows


def split(table: Table, seed: int) -> Split:
    """Part the rows at random; attacks by name, so that each part holds every common kind."""
    random = np.random.default_rng(seed)
    benign = random.permutation(np.flatnonzero(~table.is_attack))
    cuts = (np.cumsum([0.60, 0.15, 0.15]) * len(benign)).astype(int)
    parts = np.split(benign, cuts)
    attacks: list[list[Rows]] = [[], [], []]
    for name in sorted(set(table.attacks[table.is_attack])):
        members = random.permutation(np.flatnonzero(table.attacks == name))
        for part, chosen in zip(attacks, np.split(members, (np.array([0.8, 0.9]) * len(members)).round().astype(int)), strict=True):
            part.append(chosen)
    fit, threshold, check = (np.concatenate(part) if part else np.empty(0, dtype=np.int64) for part in attacks)
    return Split(*parts, fit, threshold, check)


def fit_known(matrix: Matrix, attack: NDArray[np.bool_], seed: int) -> lightgbm.Booster:
    """LightGBM: benign or attack."""
    return _lightgbm(matrix, attack.astype(int), {"objective": "binary"}, TREES, seed)


def fit_kind(matrix: Matrix, classes: NDArray[np.str_], seed: int) -> lightgbm.Booster:
    """LightGBM: which class an attack is of. Rare classes weigh more, by the root of how rare they are."""
    label = np.array([CLASSES.index(str(name)) for name in classes])
    counts = np.bincount(label, minlength=len(CLASSES)).clip(1)
    weight = np.sqrt(counts.max() / counts)[label]
    options = {"objective": "multiclass", "num_class": len(CLASSES), "min_data_in_leaf": 5, "num_leaves": 8}
    return _lightgbm(matrix, label, options, KIND_TREES, seed, weight)


def _lightgbm(matrix: Matrix, label: NDArray[np.int64], options: dict[str, Any], trees: int, seed: int, weight: Array | None = None) -> Any:
    fixed = {"verbose": -1, "num_threads": 1, "seed": seed, "deterministic": True, "force_row_wise": True}
    data = lightgbm.Dataset(matrix, label, weight=weight, feature_name=list(NAMES), categorical_feature=_CATEGORIES, free_raw_data=True)
    return lightgbm.train({**LIGHTGBM, **fixed, **options}, data, trees)


def fit_usual(matrix: Matrix, words: tuple[int, ...], seed: int, epochs: int = EPOCHS) -> Autoencoder:
    """The autoencoder, on benign rows: Adam with a cosine schedule, batches of 256."""
    random = np.random.default_rng(seed)
    numbers = np.log1p(matrix[:, NUMBERS]).astype(np.float32)
    scaling = Scaling(numbers.mean(0), np.maximum(numbers.std(0), np.float32(SMALLEST_DEVIATION)), CLIP, words)
    wanted = scaling.apply(matrix)
    widths = [wanted.shape[1], *HIDDEN, wanted.shape[1]]
    weights = [random.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in pairwise(widths)]
    biases = [np.zeros(b, dtype=np.float32) for b in widths[1:]]
    values = weights + biases
    first, second = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    batch = min(256, len(wanted))
    steps, step = epochs * (len(wanted) // batch), 0
    for _ in range(epochs):
        order = random.permutation(len(wanted))
        for start in range(0, len(wanted) - batch + 1, batch):
            step += 1
            rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            for value, gradient, m, v in zip(
                values, _gradients(weights, biases, wanted[order[start : start + batch]]), first, second, strict=True
            ):
                m += 0.1 * (gradient - m)
                v += 0.001 * (gradient * gradient - v)
                value -= np.float32(rate) * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return Autoencoder(scaling, tuple(weights), tuple(biases))


def _gradients(
    weights: list[NDArray[np.float32]], biases: list[NDArray[np.float32]], batch: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Of the mean squared reconstruction error, in the order weights, biases."""
    layers = [batch]
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        out = layers[-1] @ weight + bias
        layers.append(np.maximum(out, 0) if layer < len(weights) - 1 else out)
    error = (layers[-1] - batch) * np.float32(2 / batch.size)
    of_weights: list[NDArray[np.float32]] = []
    of_biases: list[NDArray[np.float32]] = []
    for layer in reversed(range(len(weights))):
        of_weights.insert(0, layers[layer].T @ error)
        of_biases.insert(0, error.sum(0))
        if layer:
            error = (error @ weights[layer].T) * (layers[layer] > 0)
    return of_weights + of_biases


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a detector that never saw one attack class makes of it: training data alone."""

    left: str
    evidence: Array
    p_known: Array
    p_usual: Array
    #: Budget -> recall of the fused evidence on the class left out.
    recall: dict[str, float]


def leave_one_out(table: Table, matrix: Matrix, parts: Split, usual: Autoencoder, seed: int) -> list[LeftOut]:
    """For every class: fit LightGBM without it (the autoencoder knows no attacks anyway) and judge it."""
    out = []
    errors = usual.errors(matrix).sum(1).astype(np.float64)
    p_usual = Reference.of(errors[parts.benign_reference]).p_value(errors)
    for left in CLASSES:
        members = np.flatnonzero(table.classes == left)
        seen = parts.attack_fit[table.classes[parts.attack_fit] != left]
        rows = np.concatenate([parts.benign_fit, seen])
        raw = np.asarray(fit_known(matrix[rows], table.is_attack[rows], seed).predict(matrix, raw_score=True), dtype=np.float64)
        p_known = Reference.of(raw[parts.benign_reference]).p_value(raw)
        opinions = {
            "lightgbm": -np.log(p_known),
            "autoencoder": -np.log(p_usual),
            "fisher": fuse(p_known, p_usual),
            "min": -np.log(np.minimum(p_known, p_usual)),
        }
        recall = {
            name: float((evidence[members] > np.quantile(evidence[parts.benign_threshold], 1 - BUDGET)).mean())
            if len(members)
            else float("nan")
            for name, evidence in opinions.items()
        }
        out.append(LeftOut(left, opinions["fisher"][members], p_known[members], p_usual[members], recall))
    return out


def fit_detector(
    table: Table, matrix: Matrix, words: tuple[int, ...], seed: int, epochs: int = EPOCHS
) -> tuple[Detector, Split, list[LeftOut]]:
    """The whole protocol for one seed."""
    parts = split(table, seed)
    rows = np.concatenate([parts.benign_fit, parts.attack_fit])
    known = fit_known(matrix[rows], table.is_attack[rows], seed)
    kind = fit_kind(matrix[parts.attack_fit], table.classes[parts.attack_fit], seed)
    usual = fit_usual(matrix[parts.benign_fit], words, seed, epochs)
    raw = np.asarray(known.predict(matrix, raw_score=True), dtype=np.float64)
    errors = usual.errors(matrix).sum(1).astype(np.float64)
    known_reference = Reference.of(raw[parts.benign_reference])
    usual_reference = Reference.of(errors[parts.benign_reference])
    evidence = fuse(known_reference.p_value(raw), usual_reference.p_value(errors))
    left_out = leave_one_out(table, matrix, parts, usual, seed)
    detector = Detector(
        known=known,
        kind=kind,
        usual=usual,
        known_reference=known_reference,
        usual_reference=usual_reference,
        evidence_reference=Reference.of(evidence[parts.benign_threshold]),
        calibration=calibrate(evidence, parts, left_out),
        evidence_threshold=float(np.quantile(evidence[parts.benign_threshold], 1 - BUDGET)),
    )
    return detector, parts, left_out


def calibrate(evidence: Array, parts: Split, left_out: list[LeftOut]) -> Calibration:
    """Probability at even odds, where half of the attacks are of a class never seen: known ones alone would make it too sure."""
    groups: list[tuple[Array, bool, float]] = [
        (evidence[parts.benign_threshold], False, 0.5),
        (evidence[parts.attack_threshold], True, 0.25),
    ]
    unseen = [item.evidence for item in left_out if len(item.evidence)]
    groups += [(values, True, 0.25 / len(unseen)) for values in unseen]
    groups = [group for group in groups if len(group[0])]
    return Calibration.fit(
        np.concatenate([values for values, _, _ in groups]),
        np.concatenate([np.full(len(values), attack) for values, attack, _ in groups]),
        np.concatenate([np.full(len(values), share / len(values)) for values, _, share in groups]),
    )

"""Figures about a detector: recall a class, false positives, precision at a given prevalence, calibration. Pure."""

from collections import Counter
from typing import Any

import numpy as np
from nslkdd import Table
from numpy.typing import NDArray

from croody.detection.nslkdd.detector import Detector
from croody.detection.nslkdd.evidence import Array, fuse
from croody.detection.nslkdd.features import CLASSES

Matrix = NDArray[np.float64]


def assess(detector: Detector, table: Table, matrix: Matrix, thresholds: dict[str, float], trained_on: set[str]) -> dict[str, Any]:
    """Everything we report about one detector on one labelled table. `thresholds`: budget -> evidence."""
    p_known, p_usual = detector.opinions(matrix)
    evidence = fuse(p_known, p_usual)
    probability = detector.calibration.probability(evidence)
    truth = table.is_attack
    out: dict[str, Any] = {"rows": len(truth), "attacks": int(truth.sum()), "auc": auc(evidence, truth)}
    out["budgets"] = {budget: _at(evidence > threshold, table, trained_on) for budget, threshold in thresholds.items()}
    out["lightgbm_alone_auc"], out["autoencoder_alone_auc"] = auc(-p_known, truth), auc(-p_usual, truth)
    out["calibration"] = calibration(probability, truth)
    detected = truth & (evidence > thresholds["0.01"])
    if detected.any():
        kinds = np.array(CLASSES)[np.asarray(detector.kind.predict(matrix[detected])).argmax(1)]
        out["class_of_detected"] = {
            name: {
                "rows": int((table.classes[detected] == name).sum()),
                "named_right": share(kinds[table.classes[detected] == name] == name),
            }
            for name in CLASSES
        }
    return out


def _at(alarm: NDArray[np.bool_], table: Table, trained_on: set[str]) -> dict[str, Any]:
    truth = table.is_attack
    tp, fp = int((alarm & truth).sum()), int((alarm & ~truth).sum())
    fn, tn = int((~alarm & truth).sum()), int((~alarm & ~truth).sum())
    recall, fpr = tp / max(tp + fn, 1), fp / max(fp + tn, 1)
    new = truth & ~np.isin(table.attacks, sorted(trained_on))
    f1 = (2 * tp / max(2 * tp + fp + fn, 1), 2 * tn / max(2 * tn + fp + fn, 1))
    return {
        "accuracy": (tp + tn) / len(truth),
        "macro_f1": sum(f1) / 2,
        "precision": tp / max(tp + fp, 1),
        "recall": recall,
        "false_positive_rate": fpr,
        "recall_of_class": {name: share(alarm[table.classes == name]) for name in CLASSES},
        "recall_of_attack_names_not_in_training": share(alarm[new]),
        "rows_of_attack_names_not_in_training": int(new.sum()),
        "precision_at_prevalence": {str(p): recall * p / max(recall * p + fpr * (1 - p), 1e-12) for p in (0.01, 0.001)},
        "missed_most": dict(Counter(str(name) for name in table.attacks[truth & ~alarm]).most_common(8)),
    }


def share(flags: NDArray[np.bool_]) -> float | None:
    """Mean of booleans; None for none at all."""
    return float(flags.mean()) if len(flags) else None


def auc(score: Array, truth: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, ties counted as half."""
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positive, negative = int(truth.sum()), int((~truth).sum())
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / max(positive * negative, 1))


def calibration(probability: Array, truth: NDArray[np.bool_]) -> dict[str, Any]:
    """Reliability in ten bins, weighted to even odds as the score is meant; expected calibration error and Brier score."""
    weight = np.where(truth, 0.5 / max(truth.sum(), 1), 0.5 / max((~truth).sum(), 1))
    bins = np.minimum((probability * 10).astype(int), 9)
    table, error = [], 0.0
    for index in range(10):
        inside = bins == index
        mass = float(weight[inside].sum())
        if mass == 0:
            continue
        said = float((probability[inside] * weight[inside]).sum() / mass)
        was = float((truth[inside] * weight[inside]).sum() / mass)
        table.append({"from": index / 10, "share": mass, "said": said, "was": was})
        error += mass * abs(said - was)
    return {"expected_error": error, "brier": float(((probability - truth) ** 2 * weight).sum()), "bins": table}


def mean_and_deviation(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Fold equal-shaped figures of several seeds into {"mean", "deviation"} at every number; lists and names are left out."""
    out: dict[str, Any] = {}
    for key, value in runs[0].items():
        values = [run.get(key) for run in runs]
        if key in {"bins", "missed_most"}:
            continue
        if isinstance(value, dict):
            out[key] = mean_and_deviation([v for v in values if isinstance(v, dict)])
        elif all(isinstance(v, int | float) for v in values):
            numbers = np.array(values, dtype=np.float64)
            out[key] = {"mean": float(numbers.mean()), "deviation": float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0}
    return out

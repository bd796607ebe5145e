"""Writes a detector as the folder that `croody.detection.nslkdd.model.load` reads. The same detector gives the same bytes."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from croody.detection.nslkdd.detector import Detector
from croody.detection.nslkdd.model import KIND, KNOWN, NUMBERS


def write(folder: Path, detector: Detector, card: dict[str, Any]) -> None:
    """Write the files, then the card with their hashes, calibration and threshold."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, booster in ((KNOWN, detector.known), (KIND, detector.kind)):
        booster.save_model(str(folder / name))  # type: ignore[attr-defined]
    arrays: dict[str, Any] = {f"usual.{name}": array for name, array in detector.usual.to_arrays().items()}
    references = {"known": detector.known_reference, "unusual": detector.usual_reference, "evidence": detector.evidence_reference}
    for name, reference in references.items():
        arrays[f"{name}.knots"], arrays[f"{name}.shares"] = reference.knots, reference.shares
    np.savez_compressed(folder / NUMBERS, **arrays)
    whole = {
        **card,
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (KNOWN, KIND, NUMBERS)},
        "calibration": {
            "slope": detector.calibration.slope,
            "intercept": detector.calibration.intercept,
            "meaning": "probability at even odds",
        },
        "threshold": {**card["threshold"], "evidence": detector.evidence_threshold, "score": detector.threshold},
    }
    (folder / "card.json").write_text(json.dumps(_rounded(whole), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """Figures to five significant digits under `metrics`; everything that is computed with stays exact."""
    if isinstance(value, dict):
        return {key: _five(item) if key == "metrics" else _rounded(item) for key, item in value.items()}
    return value


def _five(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _five(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_five(item) for item in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value

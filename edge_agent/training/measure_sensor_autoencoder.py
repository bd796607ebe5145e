"""Calibrates and measures a trained sensor model with the runtime that robots have, and writes its card.

Runs where the agent runs (no TensorFlow). Seeds are sessions: the threshold comes from the calibration runs, every figure from runs
that nothing was fitted to.
"""

import argparse
import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from runs import BUDGET, HOURS, SEEDS, Track, benign, faulty

from croody_contract import windows
from croody_edge.screen.card import MODELS, Card, read
from croody_edge.screen.decide import START, Policy, decide
from croody_edge.screen.tflite import RUNTIME, Scorer

NAME: Final = "sensors-ae-1"
SUSPECT_AT: Final = round(float(np.log10(BUDGET) / -6.0), 4)
SHARES: Final = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5)
AGES_S: Final = {"0-60": (0.0, 60.0), "60-180": (60.0, 180.0), "180-": (180.0, 1e9)}

Errors = NDArray[np.float64]


def main() -> None:
    """Calibrate, measure, write the card."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--folder", type=Path, default=MODELS, help="where sensors.tflite and training.json are, and the card will be")
    arguments.add_argument("--quick", action="store_true", help="a tenth of the data, to try the script out")
    options = arguments.parse_args()
    share = 0.1 if options.quick else 1.0
    training = json.loads((options.folder / "training.json").read_text(encoding="utf-8"))
    file = options.folder / "sensors.tflite"
    draft = Card(
        name=NAME,
        file=file,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        residual_scale=tuple(training["residual_scale"]),
        curve=((0.0, 0.0), (1.0, -1.0)),
        suspect_at=SUSPECT_AT,
        check_vector=tuple(training["check_vector"]),
        check_error=0.0,
    )
    # A draft has no answer to be checked against yet.
    scorer = Scorer(draft, check=False)
    calibration = np.concatenate([_errors(scorer, track) for track in benign("calibrate", share)])
    curve = _curve(calibration)
    card = describe(draft, scorer.error(draft.check_vector), curve, len(calibration), training, share)
    target = options.folder / "sensors.json"
    target.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    final = Scorer(read(target))
    card["metrics"] = {"benign": measure_benign(final, benign("test", share))}
    card["metrics"]["faults"] = {kind: measure_fault(final, tracks) for kind, tracks in faulty("faults", share).items()}
    target.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    Scorer(read(target))
    print(json.dumps(card["metrics"], indent=1))


def measure_benign(scorer: Scorer, tracks: list[Track]) -> dict[str, Any]:
    """Share of healthy windows above the threshold, and how often an operator would hear of a healthy robot."""
    hours = sum(float(track.t_s[-1] - track.t_s[0]) for track in tracks) / 3600
    scores = [_scores(scorer, track) for track in tracks]
    healthy = np.concatenate([score[track.benign] for score, track in zip(scores, tracks, strict=True)])
    suspects = sum(len(_suspects(score, track)) for score, track in zip(scores, tracks, strict=True))
    return {
        "robot_hours": round(hours, 1),
        "windows": len(healthy),
        "above_threshold": float(np.mean(healthy >= SUSPECT_AT)),
        "suspect_windows_sent": suspects,
        "suspect_windows_per_robot_hour": suspects / hours,
    }


def measure_fault(scorer: Scorer, tracks: list[Track]) -> dict[str, Any]:
    """Share of faulty windows above the threshold, by age of the fault; share of faults that were sent, and after how long."""
    hits: list[NDArray[np.bool_]] = []
    ages: list[Errors] = []
    episodes, delays = 0, []
    for track in tracks:
        score = _scores(scorer, track)
        hits.append(score[track.faulty] >= SUSPECT_AT)
        ages.append(track.since_s[track.faulty])
        sent = _suspects(score, track)
        for began, ended in _episodes(track):
            episodes += 1
            delays += [at - began for at in sent if began <= at <= ended][:1]
    hit, age = np.concatenate(hits), np.concatenate(ages)
    by_age = {label: hit[(age >= low) & (age < high)] for label, (low, high) in AGES_S.items()}
    return {
        "windows": len(hit),
        "recall_windows": float(hit.mean()),
        "recall_by_age_s": {label: float(part.mean()) for label, part in by_age.items() if len(part)},
        "episodes": episodes,
        "recall_episodes": len(delays) / episodes,
        "median_delay_s": round(float(np.median(delays)), 1) if delays else None,
    }


def describe(
    draft: Card, check_error: float, curve: list[tuple[float, float]], calibrated_on: int, training: dict[str, Any], share: float
) -> dict[str, Any]:
    """The card as JSON, without its metrics."""
    return {
        "name": draft.name,
        "file": draft.file.name,
        "bytes": draft.file.stat().st_size,
        "sha256": draft.sha256,
        "what": "int8 autoencoder 14-32-9-32-14 over summaries of 16 s of motor, battery and air; its error says how unusual",
        "features": list(windows.FEATURES),
        "window_rows": windows.WINDOW_ROWS,
        "period_s": windows.PERIOD_S,
        "inputs": list(windows.INPUTS),
        "residual_scale": list(draft.residual_scale),
        "suspect_at": draft.suspect_at,
        "calibration": {
            "error": [error for error, _ in curve],
            "log10_p": [log_p for _, log_p in curve],
            "meaning": "share of held-out benign windows above an error; score = log10_p / -6 within [0, 1]",
            "budget": BUDGET,
            "windows": calibrated_on,
        },
        "check": {"vector": list(draft.check_vector), "error": check_error},
        "data": "croody_edge's simulator: calm runs (with moves by hand, 1 to 8 robots a world), and one scenario for each fault",
        "split": {name: {"seeds": [seeds.start, seeds.stop - 1], "hours_each": HOURS * share} for name, seeds in SEEDS.items()},
        "training": {name: value for name, value in training.items() if name not in ("residual_scale", "check_vector")},
        "metrics": {},
        "measured_with": {
            "runtime": f"{RUNTIME} {version(RUNTIME.replace('_', '-'))}",
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "limits": "Learned on simulated robots. A real robot needs a model, or at least thresholds, from its own healthy hours. "
        "A weak battery is not seen while it charges.",
        "licence": "Apache-2.0",
    }


def _errors(scorer: Scorer, track: Track) -> Errors:
    return np.asarray([scorer.error(row) for row in track.inputs], np.float64)


def _scores(scorer: Scorer, track: Track) -> Errors:
    return np.asarray([scorer.card.score(error) for error in _errors(scorer, track)], np.float64)


def _curve(errors: Errors) -> list[tuple[float, float]]:
    points = [(float(errors.min()), 0.0)]
    # A share that fewer than ten windows stand behind is no share.
    points += [(float(np.quantile(errors, 1 - share)), round(float(np.log10(share)), 4)) for share in SHARES if share * len(errors) >= 10]
    return points


def _suspects(scores: Errors, track: Track) -> list[float]:
    """When the agent would have sent a suspect window."""
    state, policy, dice, out = START, Policy(suspect_at=SUSPECT_AT), Random(1), []
    for at, score in zip(track.t_s, scores, strict=True):
        state, verdict = decide(state, policy, float(score), float(at), dice.random())
        if verdict.suspect:
            out.append(float(at))
    return out


def _episodes(track: Track) -> list[tuple[float, float]]:
    """Begin and end of every fault, as seen through whole windows."""
    out: list[tuple[float, float]] = []
    for at, since in zip(track.t_s[track.faulty], track.since_s[track.faulty], strict=True):
        began = float(at - since)
        if out and abs(out[-1][0] - began) < 1.0:
            out[-1] = (out[-1][0], float(at))
        else:
            out.append((began, float(at)))
    return out


if __name__ == "__main__":
    main()

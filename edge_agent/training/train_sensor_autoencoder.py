"""Trains the sensor autoencoder on healthy simulated robots, calibrates it, measures it on faults, writes model and card.

Needs an environment of its own (requirements/train.txt), see the README beside this file. Seeds are sessions: none is shared between
training, early stopping, calibration and test, and the test sessions are looked at once, after everything is fixed.
"""

import argparse
import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from runs import Track, many

from croody_contract import windows
from croody_edge.screen.card import MODELS, Card, read
from croody_edge.screen.decide import START, Policy, decide
from croody_edge.screen.tflite import Scorer

Matrix = NDArray[np.float32]

NAME: Final = "sensors-ae-1"
#: Share of held-out benign windows that may exceed the threshold.
BUDGET: Final = 1e-4
SUSPECT_AT: Final = round(float(np.log10(BUDGET) / -6.0), 4)
SHARES: Final = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5)
CROWDS: Final = (3, 8, 1, 5)
SEEDS: Final = {
    "train": range(1, 33),
    "stop": range(51, 57),
    "calibrate": range(101, 149),
    "test": range(201, 249),
    "choose": range(301, 305),
    "faults": range(501, 517),
}
HOURS: Final = {"train": 1.0, "stop": 1.0, "calibrate": 1.0, "choose": 1.0, "test": 1.0, "faults": 1.0}
FAULTS: Final = ("bearing", "wheel", "battery")


def main() -> None:
    """Train, calibrate, measure, write."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=MODELS, help="folder for model and card")
    arguments.add_argument("--tries", type=int, default=5, help="trainings with different first weights, of which the best is kept")
    arguments.add_argument("--epochs", type=int, default=60)
    arguments.add_argument("--quick", action="store_true", help="a tenth of the data, to try the script out")
    options = arguments.parse_args()
    hours = {name: value * (0.1 if options.quick else 1.0) for name, value in HOURS.items()}

    def benign(part: str) -> list[Track]:
        print(f"simulating {part}", flush=True)
        return many(SEEDS[part], robots=CROWDS, duration_s=3600 * hours[part], scenario="calm")

    def faulty(part: str) -> dict[str, list[Track]]:
        print(f"simulating {part}", flush=True)
        return {kind: many(SEEDS[part], robots=(3,), duration_s=3600 * hours[part], scenario=kind) for kind in FAULTS}

    train, stop = _stack(benign("train")), _stack(benign("stop"))
    calibrate, choose = benign("calibrate"), faulty("choose")
    tries = [_try(seed, train, stop, calibrate, choose, options.epochs) for seed in range(1, options.tries + 1)]
    best = max(tries, key=lambda one: one.recall)
    rebuild, scale = _Runner(best.model), best.scale
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "sensors.tflite"
    file.write_bytes(best.model)
    check = stop[len(stop) // 2]
    card = Card(
        name=NAME,
        file=file,
        sha256=hashlib.sha256(best.model).hexdigest(),
        residual_scale=tuple(round(float(value), 5) for value in scale),
        curve=_curve(best.errors),
        suspect_at=SUSPECT_AT,
        check_vector=tuple(float(value) for value in check),
        check_error=float(_errors(check[None, :], rebuild(check[None, :]), scale)[0]),
    )
    test = benign("test")
    metrics = measure(card, test, faulty("faults"), rebuild, best.network, scale, train)
    text = json.dumps(describe(card, metrics, tries, best, hours, len(train)), indent=1) + "\n"
    target = options.out / "sensors.json"
    target.write_text(text, encoding="utf-8")
    Scorer(read(target), lambda data: tf.lite.Interpreter(model_content=data))
    print(json.dumps(metrics, indent=1))
    print(f"{file}: {len(best.model)} bytes; {target}")


@dataclass(frozen=True, slots=True)
class Try:
    """One training. `errors` are those of the calibration windows, `recall` the mean over the faults of the runs kept for choosing."""

    seed: int
    network: Any
    model: bytes
    scale: Matrix
    errors: NDArray[np.float64]
    recall: float
    recalls: dict[str, float]


def _try(seed: int, train: Matrix, stop: Matrix, calibrate: list[Track], choose: dict[str, list[Track]], epochs: int) -> Try:
    network = fit(train, stop, seed=seed, epochs=epochs)
    model = convert(network, train)
    rebuild = _Runner(model)
    scale = _residual_scale(stop, rebuild(stop))
    errors = np.concatenate([_errors(track.inputs, rebuild(track.inputs), scale) for track in calibrate])
    threshold = np.quantile(errors, 1 - BUDGET)
    recalls: dict[str, float] = {}
    for kind, tracks in choose.items():
        inputs = np.concatenate([track.inputs[track.faulty] for track in tracks])
        recalls[kind] = float(np.mean(_errors(inputs, rebuild(inputs), scale) > threshold))
    recall = float(np.mean(list(recalls.values())))
    print(f"try {seed}: threshold {threshold:.1f}, recall {recall:.3f} {recalls}", flush=True)
    return Try(seed, network, model, scale, errors, recall, recalls)


def fit(train: Matrix, stop: Matrix, *, seed: int, epochs: int) -> Any:
    """A small autoencoder with a linear answer (never a sigmoid: quantising one costs most of the recall at a small budget)."""
    tf.keras.utils.set_random_seed(seed)
    width = len(windows.INPUTS)
    network = tf.keras.Sequential(
        [
            tf.keras.Input((width,)),
            tf.keras.layers.Dense(32, activation="relu"),
            tf.keras.layers.Dense(9),
            tf.keras.layers.Dense(32, activation="relu"),
            tf.keras.layers.Dense(width),
        ]
    )
    network.compile(optimizer=tf.keras.optimizers.Adam(2e-3), loss="mse")
    patience = tf.keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True)
    slower = tf.keras.callbacks.ReduceLROnPlateau(factor=0.4, patience=3)
    network.fit(train, train, validation_data=(stop, stop), epochs=epochs, batch_size=512, verbose=2, callbacks=[patience, slower])
    return network


def convert(network: Any, train: Matrix) -> bytes:
    """Full int8, ranges taken from benign windows only: what lies outside is cut off on the way in and shows as an error."""
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    some = train[:: max(1, len(train) // 4000)]
    converter.representative_dataset = lambda: ([row[None, :]] for row in some)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


class _Runner:
    """The int8 model over many windows at once: inputs (n, width) -> reconstructions (n, width)."""

    def __init__(self, model: bytes) -> None:
        self._interpreter = tf.lite.Interpreter(model_content=model)

    def __call__(self, inputs: Matrix) -> Matrix:
        run = self._interpreter
        entry = run.get_input_details()[0]
        run.resize_tensor_input(entry["index"], inputs.shape)
        run.allocate_tensors()
        (in_scale, in_zero), (out_scale, out_zero) = entry["quantization"], run.get_output_details()[0]["quantization"]
        run.set_tensor(entry["index"], np.clip(np.rint(inputs / in_scale) + in_zero, -128, 127).astype(np.int8))
        run.invoke()
        answer = run.get_tensor(run.get_output_details()[0]["index"]).astype(np.float32)
        return np.asarray((answer - out_zero) * out_scale, np.float32)


def measure(
    card: Card, test: list[Track], faults: dict[str, list[Track]], rebuild: _Runner, network: Any, scale: Matrix, train: Matrix
) -> dict[str, Any]:
    """Figures on sessions that nothing was fitted to: share of benign windows above the threshold, suspects an hour, recall per fault."""
    policy = Policy(suspect_at=card.suspect_at)
    benign_errors = np.concatenate([_errors(t.inputs, rebuild(t.inputs), scale)[t.benign] for t in test])
    benign_inputs = _stack(test)
    hours = sum(float(t.t_s[-1] - t.t_s[0]) for t in test) / 3600
    suspects = sum(len(_suspects(card, policy, t, rebuild, scale)) for t in test)
    above = np.array([card.score(float(e)) >= card.suspect_at for e in benign_errors])
    inverse, centre = np.linalg.pinv(np.cov(train.T)), train.mean(axis=0)

    def float_errors(inputs: Matrix) -> NDArray[np.float64]:
        return _errors(inputs, network.predict(inputs, batch_size=4096, verbose=0), scale)

    def mahalanobis(inputs: Matrix) -> NDArray[np.float64]:
        away = inputs - centre
        return np.asarray(np.einsum("ij,jk,ik->i", away, inverse, away), np.float64)

    out: dict[str, Any] = {
        "benign": {
            "robot_hours": round(hours, 1),
            "windows": len(benign_errors),
            "above_threshold": float(above.mean()),
            "suspect_windows_per_robot_hour": suspects / hours,
        },
        "faults": {},
    }
    benign_float, benign_distance = float_errors(benign_inputs), mahalanobis(benign_inputs)
    for kind, tracks in faults.items():
        inputs = np.concatenate([t.inputs[t.faulty] for t in tracks])
        since = np.concatenate([t.since_s[t.faulty] for t in tracks])
        errors = _errors(inputs, rebuild(inputs), scale)
        hit = np.array([card.score(float(e)) >= card.suspect_at for e in errors])
        episodes, delays = 0, []
        for t in tracks:
            sent = _suspects(card, policy, t, rebuild, scale)
            for began, ended in _episodes(t):
                episodes += 1
                inside = [at - began for at in sent if began <= at <= ended]
                delays += inside[:1]
        out["faults"][kind] = {
            "windows": len(errors),
            "recall_windows": float(hit.mean()),
            "recall_by_age_s": {
                label: _mean(hit[(since >= a) & (since < b)]) for label, a, b in (("0-60", 0, 60), ("60-180", 60, 180), ("180-", 180, 1e9))
            },
            "episodes": episodes,
            "recall_episodes": len(delays) / episodes,
            "median_delay_s": float(np.median(delays)) if delays else None,
            "auc_int8": _auc(benign_errors, errors),
            "auc_float": _auc(benign_float, float_errors(inputs)),
            "auc_mahalanobis": _auc(benign_distance, mahalanobis(inputs)),
        }
    return out


def describe(card: Card, metrics: dict[str, Any], tries: list[Try], best: Try, hours: dict[str, float], trained_on: int) -> dict[str, Any]:
    """The card as JSON."""
    return {
        "name": card.name,
        "file": card.file.name,
        "bytes": len(best.model),
        "sha256": card.sha256,
        "what": "int8 autoencoder 14-32-9-32-14 over summaries of 16 s of motor, battery and air; its error says how unusual",
        "features": list(windows.FEATURES),
        "window_rows": windows.WINDOW_ROWS,
        "period_s": windows.PERIOD_S,
        "inputs": list(windows.INPUTS),
        "residual_scale": list(card.residual_scale),
        "suspect_at": card.suspect_at,
        "calibration": {
            "error": [error for error, _ in card.curve],
            "log10_p": [log_p for _, log_p in card.curve],
            "meaning": "share of held-out benign windows above an error; score = log10_p / -6 within [0, 1]",
            "budget": BUDGET,
            "windows": len(best.errors),
        },
        "check": {"vector": list(card.check_vector), "error": card.check_error},
        "data": "croody_edge's simulator: calm runs (with moves by hand, 1 to 8 robots a world), and one scenario for each fault",
        "split": {name: {"seeds": [seeds.start, seeds.stop - 1], "hours_each": hours[name]} for name, seeds in SEEDS.items()},
        "trained_on_windows": trained_on,
        "metrics": metrics,
        "tries": {
            "chosen": best.seed,
            "by": "mean recall over the faults of the `choose` runs at the budget; the `faults` runs were not looked at",
            "recall": {str(one.seed): {"mean": one.recall, **one.recalls} for one in tries},
            "mean": float(np.mean([one.recall for one in tries])),
            "deviation": float(np.std([one.recall for one in tries])),
        },
        "limits": "Learned on simulated robots. A real robot needs a model, or at least thresholds, from its own healthy hours.",
        "made_with": {"tensorflow": tf.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "licence": "Apache-2.0",
    }


def _stack(tracks: list[Track]) -> Matrix:
    return np.concatenate([track.inputs[track.benign] for track in tracks])


def _errors(inputs: Matrix, rebuilt: Matrix, scale: Matrix) -> NDArray[np.float64]:
    return np.asarray(np.mean(np.square((rebuilt - inputs) / scale), axis=1), np.float64)


def _residual_scale(inputs: Matrix, rebuilt: Matrix) -> Matrix:
    return np.asarray(np.maximum(np.round(np.std(rebuilt - inputs, axis=0), 5), 0.01), np.float32)


def _curve(errors: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    points = [(float(errors.min()), 0.0)]
    # A share that fewer than ten windows stand behind is no share.
    points += [(float(np.quantile(errors, 1 - share)), round(float(np.log10(share)), 4)) for share in SHARES if share * len(errors) >= 10]
    return tuple(points)


def _suspects(card: Card, policy: Policy, track: Track, rebuild: _Runner, scale: Matrix) -> list[float]:
    """When the agent would have sent a suspect window."""
    state, dice, out = START, Random(1), []
    for at, error in zip(track.t_s, _errors(track.inputs, rebuild(track.inputs), scale), strict=True):
        state, verdict = decide(state, policy, card.score(float(error)), float(at), dice.random())
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


def _auc(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    """Chance that a faulty window errs more than a benign one."""
    ordered = np.sort(low)
    return float(np.mean((np.searchsorted(ordered, high, "left") + np.searchsorted(ordered, high, "right")) / 2 / len(ordered)))


def _mean(values: Sequence[bool] | NDArray[np.bool_]) -> float | None:
    return float(np.mean(values)) if len(values) else None


if __name__ == "__main__":
    main()

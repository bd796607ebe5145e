"""Trains the sensor autoencoder on healthy simulated robots and writes the int8 model, with what the card must know of its training.

Needs an environment of its own (requirements/train.txt), see the README beside this file. `measure_sensor_autoencoder.py` then
calibrates and measures it with the runtime that robots have, and writes the card.
"""

import argparse
import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from runs import BUDGET, Track, benign, faulty

from croody_contract import windows
from croody_edge.screen.card import MODELS

Matrix = NDArray[np.float32]
Errors = NDArray[np.float64]

_HIDDEN: Final = 32
_NARROW: Final = 9


def main() -> None:
    """Train several times, keep the best, write model and training.json."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=MODELS, help="folder for sensors.tflite and training.json")
    arguments.add_argument("--tries", type=int, default=5, help="trainings with different first weights, of which the best is kept")
    arguments.add_argument("--epochs", type=int, default=40)
    arguments.add_argument("--quick", action="store_true", help="a tenth of the data, to try the script out")
    options = arguments.parse_args()
    share = 0.1 if options.quick else 1.0
    train, stop = _stack(benign("train", share)), _stack(benign("stop", share))
    calibrate, choose = _stack(benign("calibrate", share)), _stack_faulty(faulty("choose", share))
    tries = [_try(seed, train, stop, calibrate, choose, options.epochs) for seed in range(1, options.tries + 1)]
    best = max(tries, key=lambda one: one.recall)
    auc = _compare(best, train, _stack(benign("test", share)), _stack_faulty(faulty("faults", share)))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "sensors.tflite").write_bytes(best.model)
    text = json.dumps(describe(best, tries, auc, stop[len(stop) // 2], len(train)), indent=1) + "\n"
    (options.out / "training.json").write_text(text, encoding="utf-8")
    print(f"{options.out}: {len(best.model)} bytes, try {best.seed}; now run measure_sensor_autoencoder.py")


@dataclass(frozen=True, slots=True)
class Try:
    """One training. `recalls` are those of the runs kept for choosing, at the budget, by fault; `recall` is their mean."""

    seed: int
    network: Any
    model: bytes
    scale: Matrix
    recall: float
    recalls: dict[str, float]


def _try(seed: int, train: Matrix, stop: Matrix, calibrate: Matrix, choose: dict[str, Matrix], epochs: int) -> Try:
    network = fit(train, stop, seed=seed, epochs=epochs)
    model = convert(network, train)
    rebuild = _Runner(model)
    scale = np.asarray(np.maximum(np.round(np.std(rebuild(stop) - stop, axis=0), 5), 0.01), np.float32)
    threshold = np.quantile(_errors(calibrate, rebuild(calibrate), scale), 1 - BUDGET)
    recalls = {kind: float(np.mean(_errors(inputs, rebuild(inputs), scale) > threshold)) for kind, inputs in choose.items()}
    recall = float(np.mean(list(recalls.values())))
    print(f"try {seed}: threshold {threshold:.1f}, recall {recall:.3f} {recalls}", flush=True)
    return Try(seed, network, model, scale, recall, recalls)


def fit(train: Matrix, stop: Matrix, *, seed: int, epochs: int) -> Any:
    """A small autoencoder with a linear answer (never a sigmoid: quantising one costs most of the recall at a small budget)."""
    tf.keras.utils.set_random_seed(seed)
    width = len(windows.INPUTS)
    network = tf.keras.Sequential(
        [
            tf.keras.Input((width,)),
            tf.keras.layers.Dense(_HIDDEN, activation="relu"),
            tf.keras.layers.Dense(_NARROW),
            tf.keras.layers.Dense(_HIDDEN, activation="relu"),
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
        # The kernels that robots use: those of the delegate round otherwise.
        plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self._interpreter = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=plain)

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


def _compare(best: Try, train: Matrix, healthy: Matrix, faults: dict[str, Matrix]) -> dict[str, dict[str, float]]:
    """By fault: area under the curve of the int8 model, of the same before it was made small, and of a Mahalanobis distance."""
    rebuild, centre, inverse = _Runner(best.model), train.mean(axis=0), np.linalg.pinv(np.cov(train.T))

    def small(inputs: Matrix) -> Errors:
        return _errors(inputs, rebuild(inputs), best.scale)

    def large(inputs: Matrix) -> Errors:
        return _errors(inputs, best.network.predict(inputs, batch_size=4096, verbose=0), best.scale)

    def distance(inputs: Matrix) -> Errors:
        return np.asarray(np.einsum("ij,jk,ik->i", inputs - centre, inverse, inputs - centre), np.float64)

    ways = {"int8": small, "float": large, "mahalanobis": distance}
    usual = {name: way(healthy) for name, way in ways.items()}
    return {kind: {name: _auc(usual[name], way(inputs)) for name, way in ways.items()} for kind, inputs in faults.items()}


def describe(best: Try, tries: list[Try], auc: dict[str, dict[str, float]], check: Matrix, trained_on: int) -> dict[str, Any]:
    """What the card must know of the training, as JSON."""
    return {
        "residual_scale": [round(float(value), 5) for value in best.scale],
        "check_vector": [round(float(value), 6) for value in check],
        "windows": trained_on,
        "tries": {
            "chosen": best.seed,
            "by": "mean recall over the faults of the `choose` runs at the budget; the `faults` runs were not looked at",
            "recall": {str(one.seed): {"mean": one.recall, **one.recalls} for one in tries},
            "mean": float(np.mean([one.recall for one in tries])),
            "deviation": float(np.std([one.recall for one in tries])),
        },
        "auc": auc,
        "auc_on": "the test runs against the faults runs, once, after the choice",
        "made_with": {"tensorflow": tf.__version__, "numpy": np.__version__, "python": platform.python_version()},
    }


def _stack(tracks: list[Track]) -> Matrix:
    return np.concatenate([track.inputs[track.benign] for track in tracks])


def _stack_faulty(tracks: dict[str, list[Track]]) -> dict[str, Matrix]:
    return {kind: np.concatenate([track.inputs[track.faulty] for track in some]) for kind, some in tracks.items()}


def _errors(inputs: Matrix, rebuilt: Matrix, scale: Matrix) -> Errors:
    return np.asarray(np.mean(np.square((rebuilt - inputs) / scale), axis=1), np.float64)


def _auc(low: Errors, high: Errors) -> float:
    """Chance that a faulty window errs more than a benign one."""
    ordered = np.sort(low)
    return float(np.mean((np.searchsorted(ordered, high, "left") + np.searchsorted(ordered, high, "right")) / 2 / len(ordered)))


if __name__ == "__main__":
    main()

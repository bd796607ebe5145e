"""Runs a TFLite model through whichever runtime this Python has. The only importer of tflite_runtime and ai_edge_litert.

The model is int8 in and out and answers with a reconstruction of its input; the error is what counts, so no sigmoid is ever quantised.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from croody_edge.screen.card import Card, ModelRefused

#: The package that runs models on this Python.
RUNTIME: Final = "tflite_runtime" if sys.version_info < (3, 12) and sys.platform == "linux" else "ai_edge_litert"
#: How far the answer to the card's own window may be off: int8 kernels of other runtimes and processors round otherwise (6 % seen).
_CHECK_TOLERANCE: Final = 0.25


class Scorer:
    """One loaded model. Not thread-safe: one thread asks."""

    def __init__(self, card: Card, *, check: bool = True) -> None:
        """Load the card's model, and invoke it once to know that it really runs here.

        Args:
            card: of the model.
            check: compare its answer with the card's; only the script that writes a card goes without.

        Raises:
            ModelRefused: damaged, unfit for the runtime, of another shape, or not giving the answer it gave when it was made.
        """
        self.card = card
        data = card.model_bytes()
        try:
            self._interpreter = interpreter(data)
            self._interpreter.allocate_tensors()
            self._load_details()
            error = self.error(card.check_vector)
        # What the runtimes raise on bytes that are no model, or beside a numpy they were not built for.
        except (ImportError, ValueError, RuntimeError, TypeError, AttributeError, SystemError) as failure:
            raise ModelRefused(
                "runtime", f"model {card.file}: this Python cannot run it: {failure}: compare with requirements/edge.txt"
            ) from failure
        if check and not abs(error - card.check_error) <= _CHECK_TOLERANCE * max(1.0, card.check_error):
            raise ModelRefused(
                "wrong_answer",
                f"model {card.file}: error {error:.4f} on the card's window, its card says {card.check_error:.4f}: do not trust it here",
            )

    def error(self, inputs: Sequence[float]) -> float:
        """Mean squared reconstruction error, each input weighed by how well it is reconstructed for benign windows.

        Args:
            inputs: as `windows.vector` gives, length len(INPUTS).

        Raises:
            ValueError: another length.
        """
        values = np.asarray(inputs, dtype=np.float32)
        if values.shape != self._scale.shape:
            raise ValueError(f"inputs of shape {values.shape}: the model reads {self._scale.shape}")
        quantised = np.clip(np.rint(values / self._in_scale) + self._in_zero, -128, 127).astype(np.int8)
        self._interpreter.set_tensor(self._in_index, quantised[None, :])
        self._interpreter.invoke()
        answer: NDArray[np.int8] = self._interpreter.get_tensor(self._out_index)
        rebuilt = (answer[0].astype(np.float32) - self._out_zero) * self._out_scale
        return float(np.mean(np.square((rebuilt - values) / self._scale)))

    def score(self, inputs: Sequence[float]) -> float:
        """Anomaly score in [0, 1]."""
        return self.card.score(self.error(inputs))

    def _load_details(self) -> None:
        entry, result = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        self._scale = np.asarray(self.card.residual_scale, dtype=np.float32)
        for detail in (entry, result):
            if tuple(detail["shape"]) != (1, len(self._scale)) or detail["dtype"] != np.int8:
                found = f"{detail['dtype']} of shape {tuple(detail['shape'])}"
                raise ValueError(f"tensor {detail['name']} is {found}, expected int8 of (1, {len(self._scale)})")
        self._in_index, self._out_index = entry["index"], result["index"]
        self._in_scale, self._in_zero = entry["quantization"]
        self._out_scale, self._out_zero = result["quantization"]


def interpreter(data: bytes) -> Any:
    """A TFLite interpreter over these bytes, by the runtime of this Python."""
    module = import_module(f"{RUNTIME}.interpreter")
    # Delegates cost memory and a line on stderr, and gain nothing on a model of a few kilobytes.
    return module.Interpreter(
        model_content=data, num_threads=1, experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )

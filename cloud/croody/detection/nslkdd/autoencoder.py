"""The second opinion: a small autoencoder that knows only benign connections, in numpy. Pure; fitted by `cloud/training`.

What it cannot rebuild is not usual, whether or not anybody has a name for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from croody.detection.nslkdd.features import NAMES, WORDS

Floats = NDArray[np.float32]
#: The amounts span seven orders of magnitude: they are seen through log(1 + x).
NUMBERS: tuple[int, ...] = tuple(index for index, name in enumerate(NAMES) if name not in WORDS)


@dataclass(frozen=True, slots=True)
class Scaling:
    """Numbers become standard deviations from the benign mean, at most `clip` of them; words become columns of 0 and 1."""

    mean: Floats
    deviation: Floats
    clip: float
    #: Number of known words of each feature in `WORDS`.
    words: tuple[int, ...]

    def apply(self, matrix: NDArray[np.float64]) -> Floats:
        """`features.encode`'s matrix (n, 41) -> (n, 38 + sum(words)). An unknown word is all zeros."""
        numbers = np.log1p(matrix[:, NUMBERS]).astype(np.float32)
        parts = [np.clip((numbers - self.mean) / self.deviation, -self.clip, self.clip)]
        for name, known in zip(WORDS, self.words, strict=True):
            parts.append((matrix[:, [NAMES.index(name)]] == np.arange(known)).astype(np.float32))
        return np.concatenate(parts, axis=1)

    def owners(self) -> NDArray[np.int64]:
        """For each column of `apply`, the index of the feature it came from."""
        places = [list(NUMBERS), *([NAMES.index(name)] * known for name, known in zip(WORDS, self.words, strict=True))]
        return np.array([place for group in places for place in group], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """Dense layers with ReLU between them; the last one is linear."""

    scaling: Scaling
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def errors(self, matrix: NDArray[np.float64]) -> Floats:
        """Squared reconstruction error of each feature, shape (n, 41)."""
        wanted = self.scaling.apply(matrix)
        rebuilt = wanted
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            rebuilt = rebuilt @ weight + bias
            if layer < len(self.weights) - 1:
                rebuilt = np.maximum(rebuilt, 0)
        squared = (rebuilt - wanted) ** 2
        out = np.zeros((len(matrix), len(NAMES)), dtype=np.float32)
        for column, feature in enumerate(self.scaling.owners()):
            out[:, feature] += squared[:, column]
        return out

    def to_arrays(self) -> dict[str, NDArray[np.float32]]:
        """Everything as named arrays, for `numpy.savez`."""
        arrays: dict[str, NDArray[np.float32]] = {
            "mean": self.scaling.mean,
            "deviation": self.scaling.deviation,
            "clip": np.array([self.scaling.clip], dtype=np.float32),
            "words": np.array(self.scaling.words, dtype=np.float32),
        }
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            arrays[f"weight{layer}"], arrays[f"bias{layer}"] = weight, bias
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> "Autoencoder":
        """The reverse of `to_arrays`.

        Raises:
            KeyError, ValueError: an array is missing, or shapes do not fit together.
        """
        layers = sum(name.startswith("weight") for name in arrays)
        words = tuple(int(known) for known in arrays["words"])
        scaling = Scaling(arrays["mean"], arrays["deviation"], float(arrays["clip"][0]), words)
        weights = tuple(arrays[f"weight{layer}"] for layer in range(layers))
        biases = tuple(arrays[f"bias{layer}"] for layer in range(layers))
        width = len(NUMBERS) + sum(words)
        shapes = [width, *(weight.shape[1] for weight in weights)]
        if (
            shapes[-1] != width
            or any(w.shape[0] != n for w, n in zip(weights, shapes, strict=False))
            or scaling.mean.shape != (len(NUMBERS),)
        ):
            raise ValueError(f"autoencoder: layers of widths {shapes} do not rebuild {width} columns")
        return cls(scaling, weights, biases)

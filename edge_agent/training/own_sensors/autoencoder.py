"""The other candidate: an autoencoder that learns a robot's ordinary windows. In numpy, as a board would have to train it."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Autoencoder(NamedTuple):
    """Layers and the scale on which inputs and residuals are seen."""

    weights: list[Array]
    biases: list[Array]
    mean: Array
    scale: Array
    residual: Array

    def length(self, read: Array) -> Array:
        """Root mean square of the residuals, each weighed by how well its input is rebuilt for ordinary windows, shape (windows,)."""
        unit = np.clip((read - self.mean) / self.scale, -10, 10)
        return np.asarray(np.sqrt(np.square((_forward(self.weights, self.biases, unit)[-1] - unit) / self.residual).mean(axis=1)))


def fit(read: Array, seed: int, *, steps: int = 4000, inner: tuple[int, int] = (32, 9)) -> Autoencoder:
    """Inputs-32-9-32-inputs, tanh within, Adam; the last tenth in time weighs the residuals."""
    rng = np.random.default_rng(seed)
    mean, scale = read.mean(axis=0), np.maximum(read.std(axis=0), 1e-3)
    unit = np.clip((read - mean) / scale, -10, 10)
    size, held = unit.shape[1], len(unit) // 10
    widths = [size, inner[0], inner[1], inner[0], size]
    weights = [rng.normal(0, 1 / np.sqrt(a), (a, b)) for a, b in pairwise(widths)]
    biases = [np.zeros(b) for b in widths[1:]]
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in weights + biases]
    for step in range(1, steps + 1):
        batch = unit[rng.integers(0, len(unit) - held, 128)]
        layers = _forward(weights, biases, batch)
        delta = 2 * (layers[-1] - batch) / len(batch)
        grads_w: list[Array] = []
        grads_b: list[Array] = []
        for number in range(3, -1, -1):
            grads_w.insert(0, layers[number].T @ delta)
            grads_b.insert(0, delta.sum(axis=0))
            if number:
                delta = (delta @ weights[number].T) * (1 - layers[number] ** 2)
        rate = 2e-3 * (1 - step / (steps + 1))
        for parameter, grad, (first, second) in zip(weights + biases, grads_w + grads_b, moments, strict=True):
            first += 0.1 * (grad - first)
            second += 0.001 * (grad**2 - second)
            parameter -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    rebuilt = _forward(weights, biases, unit[-held:])[-1] if held else unit
    residual = np.maximum((rebuilt - unit[-held:]).std(axis=0), 0.05) if held else np.ones(size)
    return Autoencoder(weights, biases, mean, scale, residual)


def _forward(weights: list[Array], biases: list[Array], unit: Array) -> list[Array]:
    layers = [unit]
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        out = layers[-1] @ weight + bias
        layers.append(np.tanh(out) if number < 3 else out)
    return layers

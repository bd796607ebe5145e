"""What is read of a window of joint metrics: mean, spread and drift of each, on the scale of its mode. Pure numpy."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from croody_contract.profiles import WINDOW_ROWS

Array = NDArray[np.float64]
#: No input is farther than this from its middle: what is that far is suspect, and more would hide the others.
FARTHEST: Final = 30.0
_QUARTER: Final = WINDOW_ROWS // 4
#: A spread below this share of a metric's own counts as this: the logarithm of nothing is no measure.
_LEAST_SPREAD: Final = 0.02


def inputs(window: Array, scale: Array) -> Array:
    """What is read of windows.

    Args:
        window: shape (..., WINDOW_ROWS, metrics), oldest row first, no NaN.
        scale: standard deviation of each metric over everything, shape (metrics,).

    Returns:
        Shape (..., 3 x metrics): means in standard deviations, logarithms of the spreads, drifts in standard deviations.
    """
    scaled = window / scale
    mean = scaled.mean(axis=-2)
    spread = np.log(np.maximum(scaled.std(axis=-2), _LEAST_SPREAD))
    drift = scaled[..., -_QUARTER:, :].mean(axis=-2) - scaled[..., :_QUARTER, :].mean(axis=-2)
    return np.concatenate([mean, spread, drift], axis=-1)

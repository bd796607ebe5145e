"""A model's card: what the model is, whose bytes it is, how its error becomes a score. Reads JSON and checks it; runs nothing."""

import json
from bisect import bisect_right
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any, Final

from croody_contract.windows import FEATURES, INPUTS, PERIOD_S, WINDOW_ROWS

MODELS: Final = Path(__file__).with_name("models")
#: The model that ships for robots with motor, battery and air sensors.
SENSORS_CARD: Final = MODELS / "sensors.json"
#: No window is called rarer than this; the held-out windows behind a card could not tell.
_RAREST_LOG10_P: Final = -6.0


class ModelRefused(Exception):
    """A model that must not be used. `reason` is one word for the books; the text says which file, what is wrong and what to do."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Card:
    """What is needed to run a model and to read its answer.

    `residual_scale` weighs the error of each input. `curve` holds (error, log10 of the share of held-out benign windows above it),
    both monotone. `check_vector` and `check_error` are one window's input and the answer that the model gave on the day it was made.
    """

    name: str
    file: Path
    sha256: str
    residual_scale: tuple[float, ...]
    curve: tuple[tuple[float, float], ...]
    suspect_at: float
    check_vector: tuple[float, ...]
    check_error: float

    def model_bytes(self) -> bytes:
        """The model file, when it is whole.

        Raises:
            ModelRefused: it cannot be read, or is not the file that this card describes.
        """
        try:
            data = self.file.read_bytes()
        except OSError as error:
            raise ModelRefused("unreadable", f"model {self.file}: {error}: install croody-edge again") from error
        found = sha256(data).hexdigest()
        if found != self.sha256:
            raise ModelRefused(
                "damaged", f"model {self.file}: SHA-256 is {found[:16]}..., its card says {self.sha256[:16]}...: install croody-edge again"
            )
        return data

    def score(self, error: float) -> float:
        """Anomaly score in [0, 1] of a reconstruction error: 0 for the most ordinary, 0.5 one window in a thousand, 1 in a million."""
        return min(1.0, max(0.0, log10_p(self.curve, error) / _RAREST_LOG10_P))


def log10_p(curve: tuple[tuple[float, float], ...], error: float) -> float:
    """log10 of how many benign windows err more than `error`; straight lines between the points, the last one goes on."""
    if error <= curve[0][0]:
        return curve[0][1]
    index = min(bisect_right(curve, (error, 1.0)), len(curve) - 1)
    (x1, y1), (x2, y2) = curve[index - 1], curve[index]
    return y1 + (y2 - y1) * (error - x1) / (x2 - x1)


def read(path: Path = SENSORS_CARD) -> Card:
    """Read a card and check it against the code.

    Raises:
        ModelRefused: unreadable, incomplete, or made for other features than `croody_contract.windows` has.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return _parse(raw, path)
    except OSError as error:
        raise ModelRefused("unreadable", f"card {path}: {error}: install croody-edge again") from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelRefused(
            "bad_card", f"card {path}: {error!r}: install croody-edge again, or make the card anew with the training script"
        ) from error


def _parse(raw: dict[str, Any], path: Path) -> Card:
    for field, ours in (("features", list(FEATURES)), ("inputs", list(INPUTS)), ("window_rows", WINDOW_ROWS), ("period_s", PERIOD_S)):
        if raw[field] != ours:
            raise ModelRefused(
                "mismatch",
                f"card {path}: {field} is {raw[field]!r}, this version of croody-edge has {ours!r}: use the model of the same version",
            )
    curve = tuple(
        (float(error), float(log_p)) for error, log_p in zip(raw["calibration"]["error"], raw["calibration"]["log10_p"], strict=True)
    )
    if len(curve) < 2 or any(a[0] >= b[0] or a[1] <= b[1] for a, b in pairwise(curve)):
        raise ValueError("calibration: errors must rise and log10_p fall, over two points at least")
    card = Card(
        name=str(raw["name"]),
        file=path.with_name(Path(str(raw["file"])).name),
        sha256=str(raw["sha256"]),
        residual_scale=tuple(float(value) for value in raw["residual_scale"]),
        curve=curve,
        suspect_at=float(raw["suspect_at"]),
        check_vector=tuple(float(value) for value in raw["check"]["vector"]),
        check_error=float(raw["check"]["error"]),
    )
    if len(card.residual_scale) != len(INPUTS) or not all(isfinite(scale) and scale > 0 for scale in card.residual_scale):
        raise ValueError(f"residual_scale: {len(INPUTS)} finite numbers above 0 are needed")
    if not 0 < card.suspect_at <= 1:
        raise ValueError(f"suspect_at {card.suspect_at}: must lie in (0, 1]")
    return card

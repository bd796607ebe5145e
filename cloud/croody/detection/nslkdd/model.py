"""Loads a detector from its folder and checks it against its card. Knows files and LightGBM, never HTTP.

A folder holds `card.json` and the files whose SHA-256 the card names. What cannot be loaded is a sentence, never a crash.
"""

import hashlib
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from croody.detection.nslkdd.autoencoder import Autoencoder
from croody.detection.nslkdd.detector import Booster, Detector
from croody.detection.nslkdd.evidence import Calibration, Reference
from croody.detection.nslkdd.features import NAMES, WORDS

SHIPPED: Final = Path(__file__).parents[1] / "artefacts" / "nslkdd"
KNOWN, KIND, NUMBERS = "known.txt", "kind.txt", "numbers.npz"
FILES: Final = (KNOWN, KIND, NUMBERS)
#: After a failed load the next request tries again no sooner than this, in seconds.
RETRY_S: Final = 10.0
_RESTORE: Final = "restore the folder from the release, or leave MODEL_PATH empty for the model that ships"


class Unavailable(Exception):
    """The model cannot be used; the text says why and names the remedy."""


@dataclass(frozen=True, slots=True)
class Model:
    """A detector, its card, and where both came from."""

    detector: Detector
    card: dict[str, Any]
    path: Path

    @property
    def imputed(self) -> dict[str, float | str]:
        """What stands in for each missing feature."""
        return {feature["name"]: feature["imputed"] for feature in self.card["features"]}

    @property
    def vocabulary(self) -> dict[str, list[str]]:
        """Known words of each category."""
        vocabulary: dict[str, list[str]] = self.card["vocabulary"]
        return vocabulary


def open_booster(text: str, remedy: str = _RESTORE) -> Booster:
    """A LightGBM model from its text. `remedy`: said of one that is none.

    Raises:
        Unavailable: LightGBM or the system's OpenMP library is missing, or the text is no model.
    """
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise Unavailable(
            f"LightGBM cannot start ({error}): install the system's libgomp1 (apt-get install libgomp1) and the Python package lightgbm"
        ) from error
    try:
        booster: Booster = lightgbm.Booster(model_str=text)
    except (lightgbm.basic.LightGBMError, ValueError, IndexError) as error:
        raise Unavailable(f"a LightGBM model cannot be read ({error}): {remedy}") from error
    return booster


def load(folder: Path, opener: Callable[[str], Booster] = open_booster) -> Model:
    """Read the folder (or the `card.json` inside it).

    Raises:
        Unavailable: anything missing, damaged, or made for other features.
    """
    folder = folder.parent if folder.name == "card.json" else folder
    card = _card(folder)
    data = {name: _checked(folder, name, card) for name in FILES}
    try:
        with np.load(io.BytesIO(data[NUMBERS]), allow_pickle=False) as archive:
            arrays = dict(archive)
        if [feature["name"] for feature in card["features"]] != list(NAMES) or set(card["vocabulary"]) != set(WORDS):
            raise Unavailable(f"{folder}: made for other features than this release knows: {_RESTORE}")
        detector = Detector(
            known=opener(data[KNOWN].decode()),
            kind=opener(data[KIND].decode()),
            usual=Autoencoder.from_arrays({name[6:]: array for name, array in arrays.items() if name.startswith("usual.")}),
            known_reference=_reference(arrays, "known"),
            usual_reference=_reference(arrays, "unusual"),
            evidence_reference=_reference(arrays, "evidence"),
            calibration=Calibration(float(card["calibration"]["slope"]), float(card["calibration"]["intercept"])),
            evidence_threshold=float(card["threshold"]["evidence"]),
        )
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise Unavailable(f"{folder}: card and files do not fit together ({error!r}): {_RESTORE}") from error
    return Model(detector, card, folder)


def _reference(arrays: dict[str, Any], name: str) -> Reference:
    return Reference(arrays[f"{name}.knots"], arrays[f"{name}.shares"])


def _card(folder: Path) -> dict[str, Any]:
    path = folder / "card.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unavailable(
            f"{path}: cannot be read ({error.strerror}): point MODEL_PATH at a folder with card.json in it, or leave it empty"
        ) from error
    except ValueError as error:
        raise Unavailable(f"{path}: is not JSON ({error}): {_RESTORE}") from error
    if not isinstance(card, dict) or not isinstance(card.get("files"), dict):
        raise Unavailable(f"{path}: is no model card (it names no files): {_RESTORE}")
    return card


def _checked(folder: Path, name: str, card: dict[str, Any]) -> bytes:
    path = folder / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read ({error.strerror}): {_RESTORE}") from error
    found, wanted = hashlib.sha256(data).hexdigest(), card["files"].get(name)
    if found != wanted:
        raise Unavailable(f"{path}: damaged: its SHA-256 is {found[:16]}..., the card says {str(wanted)[:16]}...: {_RESTORE}")
    return data


class Holder:
    """One model for a process, loaded at the first request. After a failure it tries again, so a repaired folder is enough."""

    def __init__(self, folder: Path, load: Callable[[Path], Model] = load, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._load, self._clock = load, clock
        self._lock = threading.Lock()
        self._model: Model | None = None
        self._failure: tuple[float, Unavailable] | None = None

    def get(self) -> Model:
        """The model.

        Raises:
            Unavailable: it cannot be loaded; the text names the remedy.
        """
        with self._lock:
            if self._model is not None:
                return self._model
            if self._failure is not None and self._clock() - self._failure[0] < RETRY_S:
                raise Unavailable(str(self._failure[1]))
            try:
                self._model = self._load(self.folder)
            except Unavailable as error:
                self._failure = (self._clock(), error)
                raise
            return self._model

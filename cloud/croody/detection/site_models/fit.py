"""Fits a model on labelled windows and says, of what it had not seen, what it finds beside the rules. Knows LightGBM, no database.

Everything that is published is of windows whose whole group was left out; a threshold never looks at the group that it judges.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from croody.detection.evaluation.score import Told, for_nothing, named
from croody.detection.incidents.evidence import LOOKALIKE
from croody.detection.site_models.lab import Session
from croody.detection.site_models.rows import Labelled

#: Of ordinary windows that nothing was fitted on, so many may be suspected.
BUDGET: Final = 0.001
#: Fewer attacks, groups with attacks, or ordinary windows say nothing of a model.
LEAST_ATTACKS: Final = 50
LEAST_GROUPS: Final = 2
LEAST_ORDINARY: Final = 500
#: So many ordinary windows of the site itself are what later windows are compared with; else all.
LEAST_OWN: Final = 200
FOLDS: Final = 5
_ROUNDS: Final = 80
_BINS: Final = 10
_OWN: Final = ("benign", "windows")
Array = NDArray[np.float64]


class TooLittle(ValueError):
    """No model can be fitted on this; says what is missing and where it comes from."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """`text`: as LightGBM writes it. Scores are log-odds; above `threshold` is suspected. `report`: for the card."""

    text: str
    threshold: float
    #: Bounds of the bins of scores, and how many ordinary windows fell into each: shape (n,) and (n + 1,).
    edges: list[float]
    reference: list[int]
    report: dict[str, Any]


def fit(windows: Sequence[Labelled], sessions: Sequence[Session], seed: int) -> Fitted:
    """Fit, and judge by what was left out.

    Raises:
        TooLittle: so few windows that no figure would say anything.
        ImportError, OSError: LightGBM cannot start.
    """
    _check(windows)
    x = np.array([one.vector for one in windows], dtype=np.float64)
    y = np.array([one.attack for one in windows])
    folds = _folds(windows)
    scores = np.empty(len(windows))
    for fold in range(folds.max() + 1):
        out = folds == fold
        scores[out] = _score(_booster(x[~out], y[~out], seed), x[out])
    found = np.empty(len(windows), dtype=bool)
    for fold in range(folds.max() + 1):
        out = folds == fold
        found[out] = scores[out] > _threshold(scores[~out & ~y])
    threshold = _threshold(scores[~y])
    rules = np.array([one.rules for one in windows])
    own = np.array([one.source in _OWN for one in windows]) & ~y & ~rules
    kept = scores[own if own.sum() >= LEAST_OWN else ~y & ~rules]
    edges = np.unique(np.quantile(kept, np.linspace(0, 1, _BINS + 1)[1:-1]))
    report: dict[str, Any] = {
        "budget": BUDGET,
        "folds": int(folds.max() + 1),
        # Too few to trust the threshold: sites, days or incidents with attacks are what folds are made of.
        "few_folds": bool(folds.max() + 1 < FOLDS),
        "windows": {source: _counted(windows, source) for source in sorted({one.source for one in windows})},
        "held_out": {"attacks": beside(rules[y], found[y]), "ordinary": beside(rules[~y], found[~y])},
        "families_left_out": _families(windows, x, y, threshold, seed),
        "sessions": _sessions(windows, sessions, found),
    }
    report["adds"] = adds(report["sessions"])
    return Fitted(_booster(x, y, seed).model_to_string(), threshold, edges.tolist(), binned(kept, edges.tolist()), report)


def beside(rules: NDArray[np.bool_], model: NDArray[np.bool_]) -> dict[str, int]:
    """Who suspects how many windows."""
    return {
        "both": int((rules & model).sum()),
        "only_rules": int((rules & ~model).sum()),
        "only_model": int((~rules & model).sum()),
        "neither": int((~rules & ~model).sum()),
    }


def binned(scores: Any, edges: Sequence[float]) -> list[int]:
    """How many scores lie in each bin, shape (len(edges) + 1,)."""
    counts: list[int] = np.bincount(np.searchsorted(edges, np.asarray(scores), side="left"), minlength=len(edges) + 1).tolist()
    return counts


def adds(sessions: dict[str, Any]) -> bool:
    """Whether, in the laboratory, it names attacks that the rules do not, with no more incidents for nothing."""
    return bool(sessions["named_with_model"] > sessions["named"] and sessions["false_with_model"] <= sessions["false"])


def few_folds(folds: int | None) -> str:
    """What a threshold that was chosen on too few folds is worth, in a sentence; empty where there were enough, or a card does not say."""
    if folds is None or folds >= FOLDS:
        return ""
    text = _("Su umbral se eligió con %(folds)s partes de los datos, no con %(wanted)s: puede quedar lejos de lo que promete.")
    return text % {"folds": folds, "wanted": FOLDS}


def _check(windows: Sequence[Labelled]) -> None:
    attacks = [one for one in windows if one.attack]
    groups, ordinary = len({one.group for one in attacks}), len(windows) - len(attacks)
    if len(attacks) < LEAST_ATTACKS or groups < LEAST_GROUPS or ordinary < LEAST_ORDINARY:
        raise TooLittle(
            f"{len(attacks)} windows of attacks in {groups} groups and {ordinary} ordinary ones: needs {LEAST_ATTACKS} in {LEAST_GROUPS} "
            f"and {LEAST_ORDINARY}: make sessions of the laboratory with other seeds (croody-sim attack --scenario training --seed K), "
            "give more captures with --benign, or say of more incidents what they were"
        )


def _folds(windows: Sequence[Labelled]) -> NDArray[np.int64]:
    """The fold of each window; a group is in one. Groups with attacks are dealt first, so that each fold and its rest have some."""
    attacked = sorted({one.group for one in windows if one.attack})
    rest = sorted({one.group for one in windows} - set(attacked))
    many = min(FOLDS, len(attacked))
    of_group = {group: number % many for number, group in enumerate([*attacked, *rest])}
    return np.array([of_group[one.group] for one in windows])


def _booster(x: Array, y: NDArray[np.bool_], seed: int) -> Any:
    import lightgbm

    options = {
        "objective": "binary",
        "num_leaves": 15,
        "learning_rate": 0.1,
        "min_data_in_leaf": 20,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": seed,
        "verbosity": -1,
    }
    return lightgbm.train(options, lightgbm.Dataset(x, y.astype(np.float64), feature_name=[f"f{n}" for n in range(x.shape[1])]), _ROUNDS)


def _score(booster: Any, x: Array) -> Array:
    return np.asarray(booster.predict(x, raw_score=True, num_threads=1), dtype=np.float64)


def _threshold(ordinary: Array) -> float:
    """Above it lie at most `BUDGET` of these."""
    ordered = np.sort(ordinary)[::-1]
    return float(ordered[int(BUDGET * len(ordered))])


def _families(windows: Sequence[Labelled], x: Array, y: NDArray[np.bool_], threshold: float, seed: int) -> dict[str, dict[str, int]]:
    """Of each family of attacks, how many windows a model finds that never saw the family."""
    names = np.array([one.family for one in windows])
    counted = Counter(one.family for one in windows if one.family)
    told = {}
    for family in sorted(counted):
        mine = names == family
        if (y & ~mine).any():
            scores = _score(_booster(x[~mine], y[~mine], seed), x[mine])
            told[family] = {"windows": counted[family], "found": int((scores > threshold).sum())}
    return told


def _sessions(windows: Sequence[Labelled], sessions: Sequence[Session], found: NDArray[np.bool_]) -> dict[str, Any]:
    """Attacks of the laboratory that are named, and incidents for nothing: by the rules, and with what the model suspects besides."""
    total = {"attacks": 0, "named": 0, "named_with_model": 0, "false": 0, "false_with_model": 0}
    suspected: dict[str, list[Told]] = {}
    for one, suspects in zip(windows, found, strict=True):
        if suspects and one.session:
            suspected.setdefault(one.session, []).append(Told(one.at, one.device, LOOKALIKE))
    for session in sessions:
        total["attacks"] += len(session.intervals)
        for name, told in (("", session.told), ("_with_model", [*session.told, *suspected.get(session.name, ())])):
            total[f"named{name}"] += sum(one.after_s is not None for one in named(session.intervals, told))
            total[f"false{name}"] += len(for_nothing(session.intervals, told))
    return {"sessions": len(sessions), "hours": round(sum(one.hours for one in sessions), 3), **total}


def _counted(windows: Sequence[Labelled], source: str) -> dict[str, int]:
    mine = [one for one in windows if one.source == source]
    return {"windows": len(mine), "attacks": sum(one.attack for one in mine), "groups": len({one.group for one in mine})}

"""Rows to an answer. Pure: no files, clock, HTTP or database."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from croody.detection.nslkdd.attack import ATTACKS
from croody.detection.nslkdd.detector import Matrix, Scores
from croody.detection.nslkdd.features import BENIGN, NAMES, encode
from croody.detection.nslkdd.model import Model
from croody.detection.nslkdd.rows import Rows, complete, decode

#: Explanations cost more than scores: at most this many a request, attacks first.
MAX_EXPLAINED: Final = 1_000
#: Features named in one explanation, of each opinion.
DRIVERS: Final = 5


class Driver(Struct, frozen=True):
    """A feature that spoke for an attack. `weight`: log-odds (`known`), or share of the reconstruction error (`unusual`)."""

    feature: str
    value: float | str
    weight: float
    imputed: bool


class Explanation(Struct, frozen=True):
    """`p_*`: share of benign traffic that looks at least as suspicious to each opinion."""

    p_known: float
    p_unusual: float
    #: What made it look like a known attack, and what made it unlike usual traffic.
    known: list[Driver]
    unusual: list[Driver]


class Technique(Struct, frozen=True):
    """MITRE ATT&CK for ICS."""

    id: str
    name: str
    tactic: str
    url: str


class Result(Struct, frozen=True, rename={"kind": "class"}):
    """One row. `score` is the probability of an attack at even odds; `rarity` the share of training's benign traffic above it.

    `false_alarm_rate` is the earlier name of `rarity`, with the same value: it says nothing of how often other traffic is above it.
    """

    kind: str
    class_probability: float | None
    score: float
    threshold: float
    rarity: float
    false_alarm_rate: float
    known_features: int
    about: str | None
    technique: Technique | None
    explanation: Explanation | None


class ModelNote(Struct, frozen=True):
    """Which model answered."""

    path: str | None
    available: bool
    name: str
    version: str


class Answer(Struct, frozen=True):
    """The body of a 200."""

    predictions: list[int]
    model: ModelNote
    results: list[Result]
    imputed: dict[str, int]
    ignored: dict[str, int]
    unknown_words: dict[str, list[str]]


def predict(model: Model, body: bytes) -> bytes:
    """JSON to JSON.

    Raises:
        rows.BadRequest: the body breaks a rule.
    """
    rows = complete(decode(body), model.imputed, model.vocabulary)
    return msgspec.json.encode(answer(model, rows))


def answer(model: Model, rows: Rows) -> Answer:
    """Score and explain complete rows."""
    matrix = encode(rows.complete, model.vocabulary)
    scores = model.detector.score(matrix)
    chosen = np.argsort(~scores.attack, kind="stable")[:MAX_EXPLAINED]
    explained = _explain(model, matrix, scores, rows, [int(index) for index in chosen])
    return Answer(
        predictions=[int(hit) for hit in scores.attack],
        model=note(model),
        results=[_result(index, scores, model.detector.threshold, rows, explained.get(index)) for index in range(len(rows.complete))],
        imputed=dict(rows.imputed),
        ignored=dict(rows.ignored),
        unknown_words=rows.unknown_words,
    )


def note(model: Model) -> ModelNote:
    """What every answer says of its model."""
    return ModelNote(path=str(model.path), available=True, name=str(model.card["name"]), version=str(model.card["version"]))


def _result(index: int, scores: Scores, threshold: float, rows: Rows, explanation: Explanation | None) -> Result:
    kind = scores.classes[index]
    attack = ATTACKS.get(kind)
    technique = attack.technique if attack else None
    return Result(
        kind=kind,
        class_probability=None if kind == BENIGN else _round(scores.class_probability[index]),
        score=float(scores.score[index]),
        threshold=threshold,
        rarity=_round(scores.rarity[index]),
        false_alarm_rate=_round(scores.rarity[index]),
        known_features=len(rows.given[index]),
        about=attack.about if attack else None,
        technique=Technique(technique.id, technique.name, technique.tactic, technique.url) if technique else None,
        explanation=explanation,
    )


def _explain(model: Model, matrix: Matrix, scores: Scores, rows: Rows, chosen: list[int]) -> dict[int, Explanation]:
    log_odds, shares = model.detector.drivers(matrix[chosen])
    out = {}
    for place, index in enumerate(chosen):
        row = rows.complete[index]
        known, unusual = (_strongest(weights[place], row, rows.given[index]) for weights in (log_odds, shares))
        out[index] = Explanation(_round(scores.p_known[index]), _round(scores.p_usual[index]), known, unusual)
    return out


def _strongest(weights: Any, row: Mapping[str, float | str], given: set[str]) -> list[Driver]:
    """The features that spoke most for an attack; what spoke against it is left out."""
    order = np.argsort(-weights, kind="stable")[:DRIVERS]
    return [
        Driver(NAMES[place], row[NAMES[place]], _round(weights[place]), imputed=NAMES[place] not in given)
        for place in order
        if weights[place] > 0
    ]


def _round(number: float) -> float:
    """Six digits: more would claim more than the model knows."""
    return float(f"{number:.6g}")

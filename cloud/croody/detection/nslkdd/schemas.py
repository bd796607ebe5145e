"""What the OpenAPI description says about the IDS API. Describes; checks nothing (that is `rows`)."""

from datetime import datetime
from typing import Any, Final

from ninja import Field, Schema

from croody.detection.nslkdd.features import FEATURES, LARGEST, LONGEST_WORD, Feature
from croody.detection.nslkdd.rows import MAX_ROWS

_NO_NUL: Final = r"^[^\u0000]*$"


def _feature(feature: Feature) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "amount": {"type": ["number", "null"], "minimum": 0, "maximum": LARGEST},
        "rate": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "flag": {"enum": [0, 1, None]},
        "word": {"type": ["string", "null"], "minLength": 1, "maxLength": LONGEST_WORD, "pattern": _NO_NUL},
    }
    return {**kinds[feature.kind], "description": feature.about + (f" ({feature.unit})" if feature.unit else "")}


#: Of the body of `POST predict`.
REQUEST: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["rows"],
    "properties": {
        "rows": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_ROWS,
            "items": {
                "type": "object",
                "properties": {feature.name: _feature(feature) for feature in FEATURES},
                "propertyNames": {"pattern": _NO_NUL},
                "additionalProperties": {"type": ["number", "string", "boolean", "null"], "pattern": _NO_NUL},
            },
        }
    },
    "example": {"rows": [{"src_bytes": 10}]},
}


class Problem(Schema):
    """Any refusal: the value, the rule and the remedy in a sentence."""

    detail: str


class Health(Schema):
    """This process answers."""

    status: str


class DriverOut(Schema):
    """A feature that spoke for an attack; `weight` is log-odds (`known`) or a share of the reconstruction error (`unusual`)."""

    feature: str
    value: float | str
    weight: float
    imputed: bool


class ExplanationOut(Schema):
    """Shares of benign traffic that look at least as suspicious to each opinion, and what drove it."""

    p_known: float
    p_unusual: float
    known: list[DriverOut]
    unusual: list[DriverOut]


class TechniqueOut(Schema):
    """The nearest technique of MITRE ATT&CK for ICS."""

    id: str
    name: str
    tactic: str
    url: str


class ResultOut(Schema):
    """One row's result."""

    kind: str = Field(alias="class")
    class_probability: float | None
    score: float
    threshold: float
    rarity: float = Field(description="Share of the benign traffic of training that looks at least as suspicious; at your site it differs")
    false_alarm_rate: float = Field(deprecated=True, description="The earlier name of `rarity`, with the same value")
    known_features: int
    about: str | None
    technique: TechniqueOut | None
    explanation: ExplanationOut | None


class ModelNoteOut(Schema):
    """Which model answered."""

    path: str | None
    available: bool
    name: str
    version: str


class PredictOut(Schema):
    """Predictions in the order of the rows; 1 is an attack."""

    predictions: list[int]
    model: ModelNoteOut
    results: list[ResultOut]
    imputed: dict[str, int]
    ignored: dict[str, int]
    unknown_words: dict[str, list[str]]


class ModelOut(Schema):
    """The model's card, or why there is none."""

    path: str | None
    available: bool
    why: str | None
    name: str | None
    version: str | None
    sha256: dict[str, str] | None
    data: dict[str, Any] | None
    protocol: str | None
    threshold: dict[str, Any] | None
    metrics: dict[str, Any] | None
    features: list[dict[str, Any]] | None
    limits: list[str] | None


class VerdictOut(Schema):
    """The cloud's opinion of one screened window of a robot."""

    robot_id: str
    stream: str
    seq: int
    at: datetime
    judged_at: datetime
    edge_model: str
    edge_score: float
    suspect: bool
    sampled: bool
    basis: str
    deviation: float | None
    confirmed: bool
    drivers: dict[str, float]


class MissedOut(Schema):
    """What screening probably missed, from the random sample of cleared windows. `low` and `high`: 95 % interval of the share."""

    sampled: int
    missed: int
    share: float | None
    low: float
    high: float


class VerdictsOut(Schema):
    """Newest first."""

    verdicts: list[VerdictOut]
    missed: MissedOut

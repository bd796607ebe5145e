"""Whatever bytes come, the answer is rows or a sentence."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from croody.detection.nslkdd.features import FEATURES, NAMES, encode
from croody.detection.nslkdd.model import SHIPPED, load
from croody.detection.nslkdd.rows import BadRequest, complete, decode

MODEL = load(SHIPPED)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


def read(body: bytes) -> Any:
    return complete(decode(body), MODEL.imputed, MODEL.vocabulary)


def sensible(name: str) -> st.SearchStrategy[Any]:
    kind = next(feature.kind for feature in FEATURES if feature.name == name)
    return {
        "amount": st.integers(0, 2**53) | st.floats(0, 2.0**53),
        "rate": st.floats(0, 1),
        "flag": st.sampled_from([0, 1, 0.0, 1.0]),
        "word": st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=64),
    }[kind]


valid_rows = st.lists(
    st.lists(st.sampled_from(NAMES), unique=True).flatmap(lambda names: st.fixed_dictionaries({name: sensible(name) for name in names})),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | _json.map(lambda value: json.dumps({"rows": [{"src_bytes": value}, value]}).encode()))
def test_any_bytes_are_rows_or_a_refusal_with_a_sentence(body: bytes):
    try:
        rows = read(body)
    except BadRequest as refused:
        sentence = str(refused)
    else:
        sentence = "taken"
        assert encode(rows.complete, MODEL.vocabulary).shape == (len(rows.complete), len(NAMES))
    assert sentence == "taken" or sentence.startswith(("body: ", "rows: ", "rows["))


@settings(max_examples=100, deadline=None)
@given(valid_rows)
def test_rows_that_keep_the_rules_are_taken_and_scored(rows: list[dict[str, Any]]):
    found = read(json.dumps({"rows": rows}).encode())
    scores = MODEL.detector.score(encode(found.complete, MODEL.vocabulary))
    unknown = found.unknown_words
    assert [{name for name, value in row.items() if value not in unknown.get(name, ())} for row in rows] == found.given
    for attack, score in zip(scores.attack, scores.score, strict=True):
        assert 0 <= score <= 1
        assert attack == (score > MODEL.detector.threshold)


def test_what_is_filled_in_is_what_the_card_says():
    (row,) = read(b'{"rows": [{"src_bytes": 7}]}').complete
    assert row == {**MODEL.imputed, "src_bytes": 7.0}


@pytest.mark.parametrize("extra", [200, 5000])
def test_thousands_of_odd_names_are_counted_and_only_some_are_listed(extra: int):
    body = json.dumps({"rows": [{f"odd{index}": index for index in range(extra)}]}).encode()
    assert len(read(body).ignored) == 100

"""The IDS contract over HTTP, with the model that ships."""

import json
from typing import Any

import pytest
from django.test import Client

from croody.detection.nslkdd.features import FEATURES, NAMES
from croody.detection.nslkdd.rows import MAX_BYTES, MAX_ROWS

#: Three connections as NSL-KDD describes them: a page of a web server, a SYN flood, a sweep of pings.
WEB = {
    "protocol_type": "tcp", "service": "http", "flag": "SF", "src_bytes": 300, "dst_bytes": 5000, "logged_in": 1, "count": 5,
    "srv_count": 6, "same_srv_rate": 1.0, "dst_host_count": 200, "dst_host_srv_count": 255, "dst_host_same_srv_rate": 1.0,
}  # fmt: skip
FLOOD = {
    "protocol_type": "tcp", "service": "private", "flag": "S0", "src_bytes": 0, "dst_bytes": 0, "logged_in": 0, "count": 250,
    "srv_count": 10, "serror_rate": 1.0, "srv_serror_rate": 1.0, "same_srv_rate": 0.04, "diff_srv_rate": 0.06, "dst_host_count": 255,
    "dst_host_srv_count": 10, "dst_host_same_srv_rate": 0.04, "dst_host_diff_srv_rate": 0.06, "dst_host_serror_rate": 1.0,
    "dst_host_srv_serror_rate": 1.0,
}  # fmt: skip
SWEEP = {
    "protocol_type": "icmp", "service": "eco_i", "flag": "SF", "src_bytes": 8, "dst_bytes": 0, "logged_in": 0, "count": 1, "srv_count": 20,
    "same_srv_rate": 1.0, "srv_diff_host_rate": 1.0, "dst_host_count": 2, "dst_host_srv_count": 30, "dst_host_same_srv_rate": 1.0,
    "dst_host_same_src_port_rate": 1.0, "dst_host_srv_diff_host_rate": 0.5,
}  # fmt: skip

OURS = ("incidents/{number}/verdict", "profile", "quality")


def post(client: Client, body: Any) -> Any:
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post("/api/ids/predict", data, content_type="application/json")


def refusal(client: Client, body: Any) -> str:
    response = post(client, body)
    assert response.status_code == 422, response.content
    detail: str = response.json()["detail"]
    return detail


def test_the_smallest_row_of_the_contract_is_answered(client: Client):
    response = post(client, {"rows": [{"src_bytes": 10}]})
    assert response.status_code == 200
    answer = response.json()
    assert answer["predictions"] == [0]
    assert answer["model"]["path"].endswith("nslkdd")
    assert answer["model"]["available"] is True
    assert set(answer["imputed"]) == set(NAMES) - {"src_bytes"}
    assert answer["results"][0]["known_features"] == 1


def test_a_flood_and_a_sweep_are_attacks_of_their_class_and_a_web_page_is_none(client: Client):
    answer = post(client, {"rows": [WEB, FLOOD, SWEEP]}).json()
    assert answer["predictions"] == [0, 1, 1]
    assert [result["class"] for result in answer["results"]] == ["normal", "dos", "probe"]
    assert [(result["technique"] or {}).get("id") for result in answer["results"]] == [None, "T0814", "T0846"]


def test_a_prediction_is_a_score_above_the_threshold_and_the_explanation_names_what_drove_it(client: Client):
    answer = post(client, {"rows": [WEB, FLOOD, SWEEP]}).json()
    for prediction, result in zip(answer["predictions"], answer["results"], strict=True):
        assert prediction == (result["score"] > result["threshold"])
        assert 0 < result["rarity"] <= 1
        assert result["false_alarm_rate"] == result["rarity"], "the earlier name"
    flood = answer["results"][1]
    assert flood["rarity"] < 0.01
    drivers = {driver["feature"]: driver for driver in flood["explanation"]["known"] + flood["explanation"]["unusual"]}
    assert drivers.keys() & {"serror_rate", "srv_serror_rate", "dst_host_serror_rate", "dst_host_srv_serror_rate", "flag", "count"}
    weights = [driver["weight"] for driver in flood["explanation"]["known"]]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0
    assert not any(driver["imputed"] for name, driver in drivers.items() if name in FLOOD)


def test_what_is_no_feature_is_ignored_and_named_and_null_counts_as_missing(client: Client):
    answer = post(client, {"rows": [{**FLOOD, "label": "neptune", "difficulty": 21, "duration": None}, {**WEB, "label": "normal"}]}).json()
    assert answer["predictions"] == [1, 0]
    assert answer["ignored"] == {"label": 2, "difficulty": 1}
    assert answer["imputed"]["duration"] == 2


def test_a_word_that_training_never_saw_counts_as_missing_and_is_named(client: Client):
    answer = post(client, {"rows": [{**WEB, "service": "mqtt"}, {**FLOOD, "service": "mqtt", "flag": "WHAT"}]}).json()
    without = post(client, {"rows": [{name: value for name, value in WEB.items() if name != "service"}]}).json()
    assert answer["results"][0]["score"] == pytest.approx(without["results"][0]["score"])
    assert answer["results"][0]["known_features"] == without["results"][0]["known_features"]
    assert answer["predictions"] == [0, 1]
    assert (answer["imputed"]["service"], answer["imputed"]["flag"]) == (2, 1)
    assert answer["unknown_words"] == {"service": ["mqtt"], "flag": ["WHAT"]}


def test_many_rows_are_answered_in_their_order_and_explained_attacks_first(client: Client):
    rows = [WEB, FLOOD] * 700
    answer = post(client, json.dumps({"rows": rows}).replace(" ", "")).json()
    assert answer["predictions"] == [0, 1] * 700
    explained = [result["explanation"] is not None for result in answer["results"]]
    assert all(explained[1::2])
    assert sum(explained) == 1_000


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"src_bytes": "10"}, "rows[0].src_bytes: '10' must be a finite number, 0 or more, not text"),
        ({"src_bytes": False}, "rows[0].src_bytes: False must be a finite number, 0 or more, not true or false"),
        ({"src_bytes": -1}, "rows[0].src_bytes: -1 must be a finite number, 0 or more"),
        ({"src_bytes": 10**30}, "rows[0].src_bytes"),
        ({"serror_rate": 1.5}, "rows[0].serror_rate: 1.5 must be a number from 0 to 1"),
        ({"logged_in": 2}, "rows[0].logged_in: 2 must be 0 or 1"),
        ({"logged_in": 0.5}, "rows[0].logged_in: 0.5 must be 0 or 1"),
        ({"service": 80}, "rows[0].service: 80 must be text"),
        ({"service": ""}, "rows[0].service: '' must be text"),
        ({"service": "x" * 65}, "rows[0].service"),
        ({"service": "ht\x00tp"}, "holds the character U+0000"),
        ({"odd\x00name": 1}, "holds the character U+0000"),
        ({"src_bytes": [1]}, "rows[0].src_bytes: a nested value"),
        ({"odd": {"deep": {}}}, "rows[0].odd: a nested value"),
    ],
)
def test_a_wrong_value_is_refused_by_row_field_and_rule(client: Client, row: dict[str, Any], named: str):
    assert named in refusal(client, {"rows": [row]})


def test_the_row_that_is_wrong_is_named_by_its_place(client: Client):
    assert refusal(client, {"rows": [WEB, WEB, {"duration": "long"}]}).startswith("rows[2].duration")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", '"rows"'),
        (b"{}", "rows"),
        (b'{"rows": {}}', "rows"),
        (b'{"rows": [1]}', "rows[0]"),
        (b'{"rows": []}', "rows: 0 of them"),
        (b'{"rows": [{"src_bytes": NaN}]}', "no NaN or Infinity"),
        (b'{"rows": [{"src_bytes": Infinity}]}', "no NaN or Infinity"),
        (b'{"rows": [{"src_bytes": 1e999}]}', "rows[0].src_bytes: 1e999 is larger than any number"),
        (b'{"rows": [{"service": "\\ud800"}]}', "rows[0].service: holds"),
        (b'{"rows": [{"serv\xffice": 1}]}', "not valid UTF-8"),
        (b'{"rows": ' + b"[" * 100_000, "body"),
        (b'{"rows": [{"odd": ' + b'{"a":' * 100_000, "nested"),
        (b'{"rows": [' + b"{}," * MAX_ROWS + b"{}]}", "rows: 10001 of them"),
    ],
)
def test_a_body_that_is_not_of_the_contract_is_refused_with_the_rule(client: Client, body: bytes, named: str):
    assert named in refusal(client, body)


def test_as_many_full_rows_as_are_allowed_fit_into_the_largest_body_and_one_byte_more_is_too_large(client: Client):
    largest = {feature.name: "x" * 16 if feature.kind == "word" else 0.12345678 for feature in FEATURES}
    assert MAX_ROWS * (len(json.dumps(largest)) + 2) <= MAX_BYTES
    fits = b'{"rows": [{"src_bytes": 10}]}'
    assert post(client, fits + b" " * (MAX_BYTES - len(fits))).status_code == 200
    response = post(client, fits + b" " * (MAX_BYTES + 1 - len(fits)))
    assert response.status_code == 413
    assert str(MAX_BYTES) in response.json()["detail"]


def test_the_model_is_described_by_its_card(client: Client):
    card = client.get("/api/ids/model").json()
    assert card["available"] is True
    assert card["why"] is None
    assert card["data"]["train"] == "KDDTrain+"
    assert [feature["name"] for feature in card["features"]] == [feature.name for feature in FEATURES]
    tested = card["metrics"]["all_seeds"]["KDDTest+"]["budgets"]["0.01"]
    assert set(tested["recall_of_class"]) == {"dos", "probe", "r2l", "u2r"}
    assert set(tested["precision_at_prevalence"]) == {"0.01", "0.001"}
    assert card["threshold"]["budget"] == 0.01


def test_health_docs_and_description_need_no_key(make_client: Any):
    client = make_client(token="t" * 40)
    assert client.get("/api/ids/healthz").json() == {"status": "ok"}
    paths = client.get("/api/ids/openapi.json").json()["paths"]
    assert set(paths) == {f"/api/ids/{name}" for name in ("healthz", "predict", "model", "models", "verdicts", "incidents", *OURS)}
    page = client.get("/api/ids/docs").content.decode()
    assert "POST /api/ids/predict" in page
    assert "<script" not in page
    assert "https://" not in page


def test_answers_have_exactly_the_fields_of_the_description(client: Client):
    described = client.get("/api/ids/openapi.json").json()["components"]["schemas"]
    answer = post(client, {"rows": [WEB, FLOOD]}).json()
    attack = answer["results"][1]
    parts = {
        "PredictOut": answer,
        "ModelNoteOut": answer["model"],
        "ResultOut": attack,
        "ExplanationOut": attack["explanation"],
        "DriverOut": attack["explanation"]["known"][0],
        "TechniqueOut": attack["technique"],
        "ModelOut": client.get("/api/ids/model").json(),
    }
    for name, part in parts.items():
        assert set(part) == set(described[name]["properties"]) == set(described[name]["required"]), name

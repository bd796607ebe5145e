"""What an answer to a posted reading means: only Croody's own counts."""

import json

import pytest

from croody_edge.sync.answers import Outage, Refused, Stored, meaning

ROW = {"id": 7, "ts": "2026-11-24T10:00:00Z", "data": {"temp_c": 21.5}, "robot_id": "rover-alice", "position": None}


def said(status: int, body: object, **headers: str) -> object:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return meaning(status, raw, "rover-alice", **headers)


@pytest.mark.parametrize("status", [200, 201])
def test_an_answer_that_names_the_stored_row_is_a_receipt(status: int) -> None:
    assert said(status, ROW) == Stored()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html>log in</html>",
        b"\xff\xfe",
        b"[" * 5000,
        {},
        {"status": "ok"},
        {"id": 7},
        {**ROW, "robot_id": "rover-bob"},
        {**ROW, "id": "7"},
        {**ROW, "id": 0},
        {name: value for name, value in ROW.items() if name != "data"},
        [ROW],
    ],
)
def test_any_other_body_with_200_is_an_outage(body: object) -> None:
    assert isinstance(said(200, body), Outage)


def test_only_our_own_422_or_413_says_that_the_reading_is_at_fault() -> None:
    assert said(422, {"detail": "ts: 1700000000 breaks the rule"}) == Refused("422 ts: 1700000000 breaks the rule")
    assert said(413, {"detail": "record: more than 65536 bytes"}) == Refused("413 record: more than 65536 bytes")
    for status in (400, 401, 403, 404, 409, 415, 429, 500, 503):
        assert isinstance(said(status, {"detail": "no"}), Outage), status
    for body in (b"<html>422</html>", {"detail": [{"msg": "no"}]}, {"error": "no"}, {"detail": ""}):
        assert isinstance(said(422, body), Outage), body
        assert isinstance(said(413, body), Outage), body


@pytest.mark.parametrize(
    ("status", "body", "remedy"),
    [
        (200, b"<html>log in</html>", "log in to the network"),
        (413, b"<html>too large</html>", "have this address let through"),
        (407, b"", "HTTPS_PROXY"),
        (401, {"detail": "a key is needed"}, "croody robot rotate rover-alice"),
        (503, {"detail": "send the same again"}, "send the same again"),
    ],
)
def test_an_outage_names_its_remedy(status: int, body: object, remedy: str) -> None:
    outage = said(status, body)
    assert isinstance(outage, Outage)
    assert remedy in outage.why


def test_a_redirect_says_whither_and_a_server_may_ask_for_patience() -> None:
    moved = said(302, b"", location="https://portal.example/\x1b[2J")
    assert isinstance(moved, Outage)
    assert "https://portal.example/\\x1b[2J" in moved.why
    assert said(429, {"detail": "slow down"}, retry_after="3").wait_s == 3.0  # type: ignore[attr-defined]
    assert said(429, {"detail": "slow down"}, retry_after="99999999999").wait_s == 60.0  # type: ignore[attr-defined]
    assert said(429, {"detail": "slow down"}, retry_after="soon").wait_s == 0.0  # type: ignore[attr-defined]

"""What the pages and the API refuse is written down for detection: counted, without a secret, and without holding a request up."""

import time
from typing import Any

import httpx

from tests.cloud.web.server import Web
from tests.patience import PATIENCE_S


def signs_of(web: Web, kind: str, times: int) -> list[dict[str, Any]]:
    """All of a kind, once there are so many."""
    names = ("source", "kind", "address", "account", "secret", "topic", "times")
    end = time.monotonic() + PATIENCE_S
    while True:
        found = [row for row in (dict(zip(names, row, strict=True)) for row in web.beside("signs")) if row["kind"] == kind]
        if sum(row["times"] for row in found) >= times or time.monotonic() > end:
            return found
        time.sleep(0.2)


def test_wrong_keys_are_told_apart_and_never_kept(web: Web) -> None:
    for key in ("guess-1", "guess-2", "guess-2"):
        assert httpx.get(f"{web.url}/api/v1/robots", headers={"X-API-Key": key}, timeout=PATIENCE_S).status_code == 401
    found = signs_of(web, "wrong_key", 3)
    assert sum(row["times"] for row in found) == 3
    assert {row["address"] for row in found} == {"127.0.0.1"}
    assert len({row["secret"] for row in found}) == 2
    assert "guess-" not in repr(found)


def test_who_sends_no_key_has_guessed_none(web: Web) -> None:
    before = sum(row["times"] for row in signs_of(web, "wrong_key", 0))
    assert httpx.get(f"{web.url}/there-is-no-such-page/", timeout=PATIENCE_S).status_code == 404
    (missing,) = [row for row in signs_of(web, "missing", 1) if row["topic"] == "/there-is-no-such-page/"]
    assert missing["source"] == "web"
    assert sum(row["times"] for row in signs_of(web, "wrong_key", 0)) == before


def test_a_failed_log_in_names_the_account_and_no_password(web: Web) -> None:
    name, value = next(iter(httpx.get(f"{web.url}/cuenta/acceder/", timeout=PATIENCE_S).cookies.items()))
    form = {"username": "alice", "password": "not-hers-1234", "csrfmiddlewaretoken": value}
    # A browser sends this cookie over TLS alone.
    headers = {"Referer": f"{web.url}/cuenta/acceder/", "Cookie": f"{name}={value}"}
    assert httpx.post(f"{web.url}/cuenta/acceder/", data=form, headers=headers, timeout=PATIENCE_S).status_code == 200
    (row,) = signs_of(web, "wrong_password", 1)
    assert (row["account"], row["times"]) == ("alice", 1)
    assert "not-hers" not in repr(row)

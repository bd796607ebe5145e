"""What the broker noticed reaches the cloud, or is counted."""

import threading
from typing import Any

import msgspec
import pytest

from croody.bridge import api
from croody.bridge.noticed import Noticed
from croody_contract import security
from croody_contract.security import Kind, Report


class Cloud:
    """Answers as it is told, and keeps what it took."""

    def __init__(self) -> None:
        self.status = 204
        self.took: list[Report] = []

    def post(self, path: str, body: bytes, request_id: str = "") -> Any:
        if self.status == 204:
            self.took += security.decode_reports(body)
        return api.Reply(self.status, b"")


def report(number: int, left_out: int = 0) -> bytes:
    one = security.Noticed(Kind.WRONG_SECRET, "203.0.113.9", f"rover-{number}", True, "code", times=3)
    return msgspec.json.encode(Report([one], left_out=left_out))


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def noticed(cloud: Cloud) -> Noticed:
    return Noticed(cloud, threading.Event())  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_a_report_that_was_refused_while_a_key_is_changed_waits(cloud: Cloud, noticed: Noticed, status: int) -> None:
    cloud.status = status
    noticed.put(report(1))
    assert not noticed._handed_over()
    cloud.status = 204
    assert noticed._handed_over()
    assert [one.noticed[0].account for one in cloud.took] == ["rover-1"]


def test_a_report_that_says_nonsense_is_not_sent_for_ever(cloud: Cloud, noticed: Noticed) -> None:
    cloud.status = 422
    noticed.put(report(1))
    assert noticed._handed_over()


@pytest.mark.parametrize("while_it_is_sent", [False, True])
def test_what_no_longer_fits_is_counted_in_the_next_report(cloud: Cloud, noticed: Noticed, while_it_is_sent: bool) -> None:
    cloud.status = 503
    for number in range(security.MOST_REPORTS):
        noticed.put(report(number, left_out=1))
    if while_it_is_sent:
        answer = cloud.post

        def slow(*given: Any) -> Any:
            noticed.put(report(900))
            noticed.put(report(901))
            return answer(*given)

        cloud.post = slow  # type: ignore[method-assign]
        assert not noticed._handed_over()
        cloud.post = answer  # type: ignore[method-assign]
    else:
        noticed.put(report(900))
        noticed.put(report(901))
    cloud.status = 204
    assert noticed._handed_over()
    assert len(cloud.took) == security.MOST_REPORTS
    assert [cloud.took[0].noticed[0].account, cloud.took[-1].noticed[0].account] == ["rover-2", "rover-901"]
    # Two reports of three signs, each with one that was left out before, beside what the others say.
    assert sum(one.left_out for one in cloud.took) == security.MOST_REPORTS - 2 + 2 * 4

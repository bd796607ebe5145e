"""The console while its database is away: a page that says since when and comes back by itself, not a failure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError, ProgrammingError, connection
from django.test import Client

from croody.console.database_away import Outage, outage

pytestmark = pytest.mark.django_db(databases="__all__")
PAGES = [
    "/console/",
    "/console/map/",
    "/console/alerts/",
    "/console/robots/rover-1/",
    "/console/delivery/",
    "/console/log/",
    "/console/rules/",
]
HEADS = {"": "Croody no puede leer su base de datos", "/en": "Croody cannot read its database"}


def _away(*_: object) -> None:
    raise OperationalError("the server closed the connection unexpectedly")


def _refused(*_: object) -> None:
    raise ProgrammingError('relation "nothing" does not exist')


def _but_sessions(execute, sql: str, *more: object) -> object:
    """Somebody is known to be signed in; then the database goes away."""
    if "session" in sql or "auth_user" in sql:
        return execute(sql, *more)
    raise OperationalError("the server closed the connection unexpectedly")


@pytest.fixture(autouse=True)
def _no_outage() -> Iterator[None]:
    outage.over()
    yield
    outage.over()


@pytest.fixture
def alice(people: SimpleNamespace) -> Client:
    client = Client()
    client.force_login(people.alice)
    return client


@pytest.mark.parametrize("breaks", [_away, _but_sessions])
@pytest.mark.parametrize("prefix", HEADS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_since_when_and_comes_back_by_itself(alice: Client, path: str, prefix: str, breaks) -> None:
    with connection.execute_wrapper(breaks):
        answer = alice.get(prefix + path)
    text = answer.content.decode()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert f"<h1>{HEADS[prefix]}</h1>" in text
    since = datetime.fromisoformat(re.findall(r'<time datetime="([^"]+)"', text)[0])
    assert datetime.now(UTC) - since < timedelta(seconds=10)
    assert "console/away" in text
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in text
    assert alice.get(prefix + path).status_code == 200


def test_the_moment_is_the_first_one_until_the_database_answers(alice: Client) -> None:
    def moment() -> str:
        with connection.execute_wrapper(_away):
            return re.findall(r'<time datetime="([^"]+)"', alice.get("/console/").content.decode())[0]

    first = moment()
    assert moment() == first
    alice.get("/console/")
    assert moment() != first


def test_what_was_between_two_outages_that_nobody_saw_is_not_claimed() -> None:
    at, since = datetime(2026, 11, 24, 3, 12, tzinfo=UTC), Outage()
    assert since.again(at) == at
    assert since.again(at + timedelta(seconds=50)) == at
    assert since.again(at + timedelta(seconds=100)) == at
    later = at + timedelta(hours=6)
    assert since.again(later) == later


def test_who_sent_a_form_is_told_to_look_whether_it_was_kept_and_sends_nothing_again_by_itself(alice: Client) -> None:
    with connection.execute_wrapper(_away):
        answer = alice.post("/console/robots/rover-1/notes/", {"notes": "x"})
    text = answer.content.decode()
    assert answer.status_code == 503
    assert "No es seguro que se guardara lo que enviaste" in text
    assert "http-equiv" not in text
    assert "console/away" not in text


def test_a_statement_that_the_database_refuses_stays_a_failure(alice: Client) -> None:
    alice.raise_request_exception = False
    with connection.execute_wrapper(_refused):
        assert alice.get("/console/").status_code == 500

"""`/console/log/`: each organisation reads its own log and nobody another's, and a long one costs no more than a short one."""

import ast
import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import croody
from croody.accounts.models import Membership, Organisation
from croody.audit import queries
from croody.audit.actor import Actor
from croody.audit.models import Entry
from croody.audit.queries import Mark, Readable, Wanted
from croody.audit.services import record
from croody.console.log.words import ACTS, THINGS, VERBS

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALICE = Actor("person", user_id=1, name="alice", address="192.0.2.7")
PAGE, FILE = "/es/console/log/", "/es/console/log/export/"


@pytest.fixture
def people() -> SimpleNamespace:
    """Alice owns, Bob looks on, Carlos is of another organisation, Dora of none."""
    mine, other = (Organisation.objects.create(name=name, slug=name.lower()) for name in ("Mine", "Other"))
    alice, bob, carlos, dora = (User.objects.create_user(name) for name in ("alice", "bob", "carlos", "dora"))
    Membership.objects.create(user=alice, organisation=mine, role=Membership.Role.OWNER)
    Membership.objects.create(user=bob, organisation=mine, role=Membership.Role.VIEWER)
    Membership.objects.create(user=carlos, organisation=other, role=Membership.Role.OWNER)
    return SimpleNamespace(mine=mine, other=other, alice=alice, bob=bob, carlos=carlos, dora=dora)


def page_of(user: User, query: str = "", path: str = PAGE) -> str:
    client = Client()
    client.force_login(user)
    # The log-in itself is an entry, of no concern here.
    answer = client.get(path + query)
    assert answer.status_code == 200, answer
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()  # type: ignore[attr-defined]


def test_each_organisation_reads_its_own_log(people: SimpleNamespace) -> None:
    record(ALICE, "revoke", "robot", "rover-mine", organisation_id=people.mine.pk, now=timezone.now())
    record(ALICE, "revoke", "robot", "rover-other", organisation_id=people.other.pk, now=timezone.now())
    record(ALICE, "revoke", "robot", "rover-nobodys", organisation_id=None, now=timezone.now())
    for path in (PAGE, FILE):
        for user, sees, does_not in ((people.bob, "rover-mine", "rover-other"), (people.carlos, "rover-other", "rover-mine")):
            text = page_of(user, path=path)
            assert sees in text
            assert does_not not in text
            assert "rover-nobodys" not in text
        assert "rover-mine" not in page_of(people.carlos, f"?org={people.mine.slug}", path)


def test_who_belongs_nowhere_is_told_what_to_do(people: SimpleNamespace) -> None:
    record(ALICE, "revoke", "robot", "rover-mine", organisation_id=people.mine.pk, now=timezone.now())
    text = page_of(people.dora)
    assert "ninguna organización" in text
    assert "rover-mine" not in text
    assert Client().get(PAGE).status_code == 302


def test_an_entry_reads_as_a_sentence_in_both_languages(people: SimpleNamespace) -> None:
    told = {"organisation_id": people.mine.pk, "now": timezone.now()}
    record(ALICE, "change_role", "member", "bob", before={"role": "viewer"}, after={"role": "operator"}, **told)
    record(Actor("token", user_id=1, name="alice"), "never_heard_of", "gadget", "g-1", **told)
    spanish = page_of(people.bob)
    assert "Cambió el papel de bob" in spanish
    assert "papel: de Ver a Operar" in spanish
    assert "con una clave" in spanish
    assert "gadget g-1: never_heard_of" in spanish
    assert "Changed the role of bob" in page_of(people.bob, path="/en/console/log/")


def test_codes_and_numbers_of_an_entry_are_words(people: SimpleNamespace) -> None:
    told = {"organisation_id": people.mine.pk, "now": timezone.now()}
    about = {"robot": "rover-mine", "kind": "offline", "key": ""}
    record(ALICE, "assign", "alarm", "7", before={"assignee_id": None}, after={**about, "assignee_id": people.bob.pk}, **told)
    record(ALICE, "assign", "alarm", "8", before={"assignee_id": 10**9}, after={"kind": "gripper_turns", "assignee_id": None}, **told)
    record(ALICE, "false", "alarm", "7", after={"scope": "cause"}, **told)
    record(ALICE, "change", "rule", "3", before={"side": "below"}, after={"side": "above", "kind": "threshold"}, **told)
    record(ALICE, "add", "channel", "4", after={"kind": "apprise", "language": "en"}, **told)
    record(ALICE, "label", "verdict", "rover-mine s 4", before={"label": ""}, after={"label": "normal"}, **told)
    record(ALICE, "take", "shift", "1", after={"open": {"critical": 2, "low": 1}}, **told)
    record(ALICE, "make", "token", "cr_1", after={"scopes": ["read", "act"]}, **told)
    record(ALICE, "add", "robot", "rover-mine", after={"kind": "offline"}, **told)
    spanish = page_of(people.bob)
    for line in (
        "clase: Sin señales",
        "la tiene: de — a bob",
        "la tiene: de la persona 1000000000 a —",
        "clase: gripper_turns",
        "alcance: Esta causa en este robot",
        "lado: de por debajo del límite a por encima del límite",
        "clase: Umbral",
        "clase: Mensajero",
        "idioma: English",
        "qué era: de — a Era normal",
        "alcances: leer, actuar",
        "abiertas: Crítica 2, Baja 1",
        "clase: offline",
    ):
        assert f"<li>{line}</li>" in spanish, line
    assert "<li>assigned to: from — to bob</li>" in page_of(people.bob, path="/en/console/log/")


def test_filters_stand_in_the_address(people: SimpleNamespace) -> None:
    for day, verb, thing, key in ((1, "add", "robot", "r-1"), (2, "revoke", "robot", "r-1"), (3, "revoke", "robot", "r-2")):
        at = datetime(2026, 11, day, 12, tzinfo=UTC)
        record(ALICE, verb, thing, key, organisation_id=people.mine.pk, now=at)
    record(Actor("person", name="bob"), "close", "alarm", "7", organisation_id=people.mine.pk, now=datetime(2026, 11, 4, tzinfo=UTC))

    def keys(query: str) -> list[tuple[str, str]]:
        rows = list(csv.DictReader(io.StringIO(page_of(people.bob, query, FILE))))
        return [(row["verb"], row["thing_id"]) for row in rows if row["verb"] != "log_in"]

    assert keys("?who=bob&verb=close") == [("close", "7")]
    assert keys("?verb=revoke") == [("revoke", "r-2"), ("revoke", "r-1")]
    assert keys("?thing=robot&id=r-1") == [("revoke", "r-1"), ("add", "r-1")]
    assert keys("?since=2026-11-02&until=2026-11-02") == [("revoke", "r-1")]
    # Noon of the second in UTC is the third in Auckland.
    assert keys("?since=2026-11-02&until=2026-11-02&zone=America/Bogota") == [("revoke", "r-1")]
    assert keys("?since=2026-11-03&until=2026-11-03&zone=Pacific/Auckland") == [("revoke", "r-1")]
    assert keys("?since=2026-11-02&until=2026-11-02&zone=Mars/Base") == [("revoke", "r-1")]
    assert 'name="zone" value="Pacific/Auckland"' in page_of(people.bob, "?since=2026-11-03&zone=Pacific/Auckland")
    assert keys("?since=nonsense&verb=add") == [("add", "r-1")]
    assert "Nada con estos filtros" in page_of(people.bob, "?who=eve")
    assert page_of(people.bob, "?verb=revoke&id=r-1").count("Revocó el robot") == 1


def test_pages_lead_through_everything_once(people: SimpleNamespace) -> None:
    same = timezone.now()
    for number in range(250):
        record(ALICE, "revoke", "robot", f"r-{number}", organisation_id=people.mine.pk, now=same - timedelta(seconds=number // 3))
    readable, wanted = Readable((people.mine.pk, people.other.pk), people.bob.pk), Wanted(verb="revoke")
    seen: list[int] = []
    after: Mark | None = None
    while some := queries.page(readable, wanted, limit=40, after=after):
        seen += [entry.pk for entry in some]
        after = Mark.read(str(Mark.of(some[-1])))
    assert len(seen) == len(set(seen)) == 250
    assert [entry.pk for part in queries.everything(readable, wanted, size=70) for entry in part] == seen
    assert "after=" in page_of(people.bob, "?verb=revoke")
    assert queries.how_many(readable, wanted, most=1000) == 250
    assert queries.how_many(readable, wanted, most=100) == 100


@pytest.mark.parametrize("text", ["", "x", "1-", "-1", "1-2-3", "9" * 18 + "-1", "²-1", "1" * 40 + "-1"])
def test_a_place_that_is_none_is_the_beginning(text: str) -> None:
    mark = Mark.read(text)
    assert mark is None or str(mark) == text


def test_a_spreadsheet_runs_nothing_of_it(people: SimpleNamespace) -> None:
    record(ALICE, "revoke", "robot", '=HYPERLINK("http://x")', organisation_id=people.mine.pk, now=timezone.now())
    rows = list(csv.DictReader(io.StringIO(page_of(people.bob, "?verb=revoke", FILE))))
    assert rows[0]["thing_id"] == '\'=HYPERLINK("http://x")'


def test_a_page_asks_as_often_however_long_the_log_is(people: SimpleNamespace) -> None:
    client = Client()
    client.force_login(people.bob)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(PAGE)
        return len(found)

    few = asked()
    start = timezone.now()
    Entry.objects.bulk_create(
        Entry(kind="person", name="alice", verb="revoke", thing="robot", thing_id=f"r-{n}", organisation_id=people.mine.pk, at=start)
        for n in range(2000)
    )
    assert asked() <= few


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(name="alice"),
        Wanted(verb="revoke"),
        Wanted(thing="robot", thing_id="r-1"),
        Wanted(since=datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_each_filter_has_an_index_that_is_in_the_order_of_the_page(wanted: Wanted) -> None:
    now = timezone.now()
    readable, mark = Readable((1,)), Mark(datetime(2026, 11, 1, tzinfo=UTC), 5)
    Entry.objects.bulk_create(
        Entry(kind="person", name="alice", verb="revoke", thing="robot", thing_id="r-1", organisation_id=n % 7, at=now) for n in range(700)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as found:
        queries.page(readable, wanted, limit=10, after=mark)
    plan = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(plan + found[0]["sql"])
        steps = " ".join(str(row) for row in cursor.fetchall())
    assert "audit_" in steps
    assert "TEMP B-TREE" not in steps
    assert "Sort" not in steps


def acts_in_the_code() -> set[tuple[str, str]]:
    """(verb, thing) of every entry that is written with both words in one call."""
    found = set()
    for path in (Path(croody.__file__).parent).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("record", "note"):
                words = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
                if len(words) >= 2:
                    found.add((words[0], words[1]))
    return found


def test_everything_that_is_written_down_has_a_sentence() -> None:
    from croody.alarms.models import Act

    written = acts_in_the_code() | {(verb.value, "alarm") for verb in Act.Verb} | {("undo", "alarm")}
    assert ("replay", "dead_letter") in written
    assert {pair for pair in written if pair not in ACTS} == set()
    assert {verb for verb, _thing in ACTS} <= set(VERBS)
    assert {thing for _verb, thing in ACTS} <= set(THINGS)


def test_what_is_done_to_a_robot_has_a_line_on_its_page_too() -> None:
    from croody.console.robot.words.lines import ORDERS
    from croody.console.robot.words.lines import VERBS as LINES

    claims = {("claim", "robot"), ("revoke_claim", "robot"), ("claim", "group"), ("revoke_claim", "group")}
    assert claims <= set(ACTS)
    assert {verb for verb, thing in ACTS if thing == "robot"} <= set(LINES) | set(ORDERS)

"""`/console/delivery/`: is anything missing, is it coming back, and the proof of it."""

import ast
import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import override

import croody_contract
from croody.accounts.models import Membership, Organisation
from croody.audit.models import Entry
from croody.commands.models import Outgoing
from croody.console import letters
from croody.console.delivery.selection import Period, Selection
from croody.fleet import services as fleet
from croody.telemetry import ingest
from croody.telemetry.ingest import services
from croody.telemetry.models import DeadLetter, Stream
from croody_contract.messages import Born, Tombstone
from tests.cloud.telemetry.helpers import batch, count_up, reading

pytestmark = pytest.mark.django_db(databases="__all__")
LIST = "/es/console/delivery/"


@pytest.fixture
def world() -> SimpleNamespace:
    """Alice owns rover-1, which lacks two records and has lost two; Bob looks on; Carlos is of another organisation."""
    now = timezone.now()
    organisation, other = (Organisation.objects.create(name=name, slug=name.lower()) for name in ("Mine", "Other"))
    people = {}
    for name, where, role in (("alice", organisation, "operator"), ("bob", organisation, "viewer"), ("carlos", other, "owner")):
        people[name] = User.objects.create_user(name)
        Membership.objects.create(user=people[name], organisation=where, role=role)
    for name, where in (("rover-1", organisation), ("rover-2", organisation), ("carlos-1", other)):
        fleet.add_robot(name, organisation=where)
    records = [Born(agent="1", ts=now - timedelta(seconds=60)), *count_up(2, 4, at=now)]
    services.ingest_relay(batch("rover-1", "stream-a", 1, records), now=now - timedelta(seconds=40))
    tombstone = Tombstone(stream="stream-a", ranges=[(8, 9)], reason="thinned", ts=now)
    services.ingest_relay(batch("rover-1", "stream-a", 7, [reading(1.0, now), tombstone]), now=now - timedelta(seconds=30))
    services.ingest_relay(batch("rover-1", "stream-a", 10, [b'{"kind":"reading","data":{"TEMP":null}}']), now=now - timedelta(seconds=20))
    return SimpleNamespace(now=now, **people)


def get(user: User, path: str, status: int = 200) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == status, answer
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()  # type: ignore[attr-defined]


def test_the_list_says_what_is_missing_and_of_whom(world: SimpleNamespace) -> None:
    text = get(world.bob, LIST)
    assert "Faltan" in text
    assert "de 1 robot" in text
    assert text.index("rover-1") < text.index("rover-2")
    assert "carlos-1" not in text
    assert "No falta nada" in get(world.carlos, LIST)
    assert "rover-2" not in get(world.bob, f"{LIST}?what=gaps")
    assert "Ninguno con estos filtros" in get(world.bob, f"{LIST}?q=nobody")


def test_a_robots_page_says_what_is_done_about_each_gap(world: SimpleNamespace) -> None:
    page = f"{LIST}rover-1/"
    text = get(world.bob, page)
    assert "A rover-1 le faltan 2 registros" in text
    assert "5-6" in text
    assert "su archivo de salida estaba lleno" in text
    assert "un valor que no cabe en la regla" in text or "no tiene la forma de un registro" in text
    row = Outgoing.objects.create(
        robot_id="rover-1", kind="resend", payload={"stream": "stream-a"}, expires_at=world.now + timedelta(minutes=9), next_at=world.now
    )
    assert "aún no sale" in get(world.bob, page)
    Outgoing.objects.filter(pk=row.pk).update(sent_at=world.now)
    assert "sin respuesta todavía" in get(world.bob, page)
    Outgoing.objects.filter(pk=row.pk).update(answer_state="received")
    assert "el robot lo está enviando" in get(world.bob, page)
    Outgoing.objects.filter(pk=row.pk).update(answer_state="done", answered_at=world.now)
    assert "el robot contestó" in get(world.bob, page)
    Outgoing.objects.filter(pk=row.pk).update(expires_at=world.now - timedelta(minutes=1), answered_at=None)
    assert "se pide en unos segundos" in get(world.bob, page)


def test_a_stranger_finds_nothing_of_it(world: SimpleNamespace) -> None:
    for path in (f"{LIST}rover-1/", f"{LIST}rover-1/proof/", f"{LIST}rover-1/proof/export/"):
        get(world.carlos, path, 404)


def test_the_proof_is_a_page_and_a_file_that_say_the_same(world: SimpleNamespace) -> None:
    text = get(world.bob, f"{LIST}rover-1/proof/")
    assert "De rover-1 se guardó el 75,000\u00a0%" in text
    rows = list(csv.DictReader(io.StringIO(get(world.bob, f"{LIST}rover-1/proof/export/"))))
    assert len(rows) == 1
    row = rows[0]
    assert (row["stream"], row["first"], row["last"]) == ("stream-a", "1", "8")
    assert (row["expected"], row["stored"], row["missing"], row["missing_ranges"]) == ("8", "6", "2", "5-6")


@pytest.mark.parametrize(
    "query", ["?since=2026-11-30&until=2026-11-29", "?since=x&until=y", "?since=0001-01-01&until=2026-01-01", "?since=2026-11-30"]
)
def test_what_is_no_period_is_told_with_its_rule(world: SimpleNamespace, query: str) -> None:
    assert "no es un periodo" in get(world.bob, f"{LIST}rover-1/proof/{query}", 422)
    get(world.bob, f"{LIST}rover-1/proof/export/{query}", 404)


def test_a_letter_is_discarded_after_a_question_by_who_may_and_written_down(world: SimpleNamespace) -> None:
    letter = DeadLetter.objects.get(robot_id="rover-1")
    path = f"{LIST}rover-1/letters/{letter.pk}/discard/"
    get(world.bob, path, 403)
    get(world.carlos, path, 404)
    assert "¿Descartar la carta" in get(world.alice, path)
    assert DeadLetter.objects.filter(pk=letter.pk).exists()
    client = Client()
    client.force_login(world.alice)
    dead = Stream.objects.get(stream="stream-a").dead
    answer = client.post(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/console/delivery/rover-1/#letters")
    assert not DeadLetter.objects.filter(pk=letter.pk).exists()
    assert Stream.objects.get(stream="stream-a").dead == dead
    entry = Entry.objects.get(verb="discard")
    assert (entry.name, entry.thing_id, entry.before["robot"]) == ("alice", str(letter.pk), "rover-1")
    assert client.post(path).status_code == 404


def test_a_letter_is_judged_again_by_who_may(world: SimpleNamespace) -> None:
    letter = DeadLetter.objects.get(robot_id="rover-1")
    client = Client()
    client.force_login(world.bob)
    path = f"{LIST}rover-1/letters/{letter.pk}/replay/"
    assert client.post(path).status_code == 403
    client.force_login(world.alice)
    assert client.post(path).status_code == 303
    assert Entry.objects.get(verb="replay").name == "alice"
    assert client.get(path).status_code == 302
    assert client.post(f"{LIST}rover-2/letters/{letter.pk}/replay/").status_code == 404


def test_a_period_is_read_and_shown_in_the_readers_own_zone_and_its_link_means_the_same_to_everybody(world: SimpleNamespace) -> None:
    now = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    period = Period.of({"since": "2026-11-30T00:00", "until": "2026-11-30T08:00", "zone": "America/Bogota"}, now, "Europe/Madrid")
    assert period is not None
    assert (period.since, period.until) == (datetime(2026, 11, 30, 5, tzinfo=UTC), datetime(2026, 11, 30, 13, tzinfo=UTC))
    assert period.fields == {"since": "2026-11-30T00:00", "until": "2026-11-30T08:00", "zone": "America/Bogota"}
    assert Period.of({"since": "2026-11-30T00:00", "until": "2026-11-30T08:00", "zone": "Mars/Base"}, now) is None
    client = Client()
    client.force_login(world.bob)
    client.cookies["look"] = ".America/Bogota.c-m-mps"
    path = f"{LIST}rover-1/proof/"
    text = client.get(path).content.decode()
    until = (timezone.now() + timedelta(minutes=1)).astimezone(ZoneInfo("America/Bogota"))
    assert f'value="{until:%Y-%m-%dT%H}:' in text
    assert '<input type="hidden" name="zone" value="America/Bogota">' in text
    assert "Horas de" in text
    assert "zone=America%2FBogota" in text
    # Who followed an older link, without a zone, reads the hours it was made with.
    assert 'name="zone" value="UTC"' in client.get(f"{path}?since=2026-11-30T00:00&until=2026-11-30T08:00").content.decode()
    assert "Times of" in client.get(path.replace("/es/", "/en/")).content.decode()


def test_why_a_letter_is_dead_is_said_in_the_readers_language_and_the_servers_own_words_stand_behind(world: SimpleNamespace) -> None:
    letter = DeadLetter.objects.get(robot_id="rover-1")
    assert letter.detail.isascii()
    for path in ("/{}/console/delivery/rover-1/", "/{}/console/robots/rover-1/"):
        spanish, english = (get(world.alice, path.format(code)) for code in ("es", "en"))
        with override("es"):
            assert letters.reason(letter) in spanish
        assert "a value that breaks the rule" in english
        assert f'<summary>Lo que escribió el servidor</summary><code lang="en">{escape(letter.detail)}' in spanish
        assert f"<code>{letter.reason}</code>" not in spanish


def test_every_reason_that_ingest_and_contract_give_has_words() -> None:
    found = set()
    for folder in (Path(croody_contract.__file__).parent, Path(ingest.__path__[0])):
        for path in folder.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Name("Refused"), args=[ast.Constant(str(reason)), *_]):
                        found.add(reason)
                    case ast.Return(value=ast.Tuple(elts=[ast.Constant(str(reason)), ast.JoinedStr()])):
                        found.add(reason)
    assert {"bad_utf8", "not_finite", "quota"} <= found
    assert found - set(letters.DEAD) == set()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"replayed_at": datetime(2026, 1, 1, tzinfo=UTC)}, "ya se volvió a juzgar"),
        ({"reason": "conflict"}, "su número lo tiene otro registro"),
        ({"hash": "0" * 64}, "solo se guarda el comienzo, aquí"),
    ],
)
@pytest.mark.parametrize("path", ["/es/console/delivery/rover-1/letters/{}/replay/", "/es/console/robots/rover-1/letters/{}/replay/"])
def test_why_a_letter_cannot_be_judged_again_is_said_in_the_readers_language(world: SimpleNamespace, path: str, changes: Any, said: str):
    DeadLetter.objects.filter(robot_id="rover-1").update(**changes)
    letter = DeadLetter.objects.get(robot_id="rover-1")
    client = Client()
    client.force_login(world.alice)
    assert said in client.post(path.format(letter.pk), follow=True).content.decode()


def test_an_address_that_means_nothing_shows_everything() -> None:
    assert Selection.of({"what": "x", "page": "-1", "q": "\x00"}) == Selection()
    now = datetime(2026, 11, 30, 8, 0, 30, tzinfo=UTC)
    period = Period.of({}, now)
    assert period is not None
    assert (period.until - period.since, period.until) == (timedelta(days=1), now.replace(minute=1, second=0))
    offset = Period.of({"since": "2026-11-30T08:00+05:00", "until": "2026-11-30T08:00+00:00"}, now)
    assert offset is not None
    assert offset.until - offset.since == timedelta(hours=5)

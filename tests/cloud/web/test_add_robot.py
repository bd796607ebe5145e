"""Adding a robot from the console: what is typed, who may, the secret shown once, and its first reading seen live."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from croody.accounts.models import Membership, Organisation
from croody.audit.models import Entry
from croody.fleet import services
from croody.fleet.claims import exchange
from croody.fleet.models import Claim, Credential, Robot
from croody.fleet.services import sha256_of
from croody.telemetry.ingest.services import ingest_one, ingest_relay
from croody_contract.claims import Exchange, hashes_of, read
from croody_contract.messages import Telemetry
from croody_contract.relay import PlainItem, Relay
from tests.cloud.web.helpers import say

pytestmark = pytest.mark.django_db(databases="__all__")
NEW = "/es/console/robots/new/"


@pytest.fixture
def alice(people: SimpleNamespace) -> Client:
    client = Client()
    client.force_login(people.alice)
    return client


def typed(**changes: Any) -> dict[str, Any]:
    return {"robot_id": "rover-9", "label": "Montacargas", "kind": "rover", "way": "mqtt"} | changes


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_robot_is_added_and_its_secret_shown_in_this_browser_alone(alice: Client, people: SimpleNamespace):
    answer = alice.post(NEW, typed(site=people.site.pk))

    assert (answer.status_code, answer.headers["Location"]) == (303, "/es/console/robots/new/rover-9/?way=mqtt")
    robot = Robot.objects.get(pk="rover-9")
    assert (robot.label, robot.site, robot.organisation, robot.shared) == ("Montacargas", people.site, people.organisation, False)
    page = text(alice.get(answer.headers["Location"]))
    secret = re.search(r'<code id="secret">([^<]+)</code>', page)
    assert secret is not None
    assert Credential.objects.get(robot=robot).sha256 == sha256_of(secret[1])
    assert f"-u rover-9 -P {secret[1]}" in page
    entry = Entry.objects.get(verb="add", thing_id="rover-9")
    assert (entry.user_id, entry.name) == (people.alice.pk, "alice")
    other = Client()
    other.force_login(people.alice)
    assert secret[1] not in text(other.get(answer.headers["Location"]))


def test_after_a_new_secret_the_old_one_is_shown_no_more(alice: Client):
    where = alice.post(NEW, typed()).headers["Location"]
    assert 'id="secret"' in text(alice.get(where))

    services.rotate_secret(Robot.objects.get(pk="rover-9"))

    assert 'id="secret"' not in text(alice.get(where))


@pytest.mark.parametrize("way", ["docker", "python", "mqtt", "http", "simulator", "no-such-way"])
def test_each_way_has_its_lines(way: str, alice: Client):
    alice.post(NEW, typed())

    page = text(alice.get(f"{NEW}rover-9/?way={way}"))

    assert "rover-9" in page
    assert page.count('class="command"') >= 1


def test_bad_input_keeps_what_was_typed_and_says_the_rule(alice: Client):
    answer = alice.post(NEW, typed(robot_id="róver 9", label="Mi robot"))

    page = text(answer)
    assert answer.status_code == 422
    assert "«róver 9»: usa de 3 a 64 letras" in page
    assert 'value="róver 9"' in page
    assert 'value="Mi robot"' in page
    assert not Robot.objects.filter(label="Mi robot").exists()


@pytest.mark.parametrize("taken", ["rover-1", "new", "bridge", "x" * 65, "", "a\x00b"])
def test_an_id_that_cannot_be_is_refused_with_a_sentence(taken: str, alice: Client):
    answer = alice.post(NEW, typed(robot_id=taken))
    assert answer.status_code == 422
    assert 'class="errors"' in text(answer)


def test_of_another_organisations_robot_no_more_is_told_than_that_the_name_is_taken(alice: Client):
    others = Organisation.objects.create(name="Carlos's", slug="carlos")
    services.revoke(services.add_robot("carlos-1", organisation=others)[0], now=datetime.now(UTC))

    page = text(alice.post(NEW, typed(robot_id="carlos-1")))

    assert "ya está en uso: elige otro" in page
    assert "organización" not in re.search(r'class="errors".*?</div>', page, re.DOTALL)[0]  # type: ignore[index]


def test_who_only_looks_may_not_and_is_told_whom_to_ask(people: SimpleNamespace):
    client = Client()
    client.force_login(people.bob)

    assert "Pídeselo" in text(client.get(NEW))
    assert client.post(NEW, typed()).status_code == 403
    assert not Robot.objects.filter(pk="rover-9").exists()


def test_a_maintainer_adds_but_neither_shares_nor_brings_back(people: SimpleNamespace):
    Membership.objects.filter(user=people.bob).update(role=Membership.Role.MAINTAINER)
    client = Client()
    client.force_login(people.bob)
    services.revoke(Robot.objects.get(pk="rover-1"), now=datetime.now(UTC))

    assert client.post(NEW, typed(shared="on")).status_code == 422
    assert client.post(NEW, typed(robot_id="rover-1")).status_code == 422
    assert client.post(NEW, typed()).status_code == 303


def test_a_revoked_robot_comes_back_with_its_history_told_apart(alice: Client):
    say("rover-1", 1, {"battery_pct": 12.0}, now=datetime.now(UTC) - timedelta(hours=1))
    services.revoke(Robot.objects.get(pk="rover-1"), now=datetime.now(UTC) - timedelta(minutes=5))

    where = alice.post(NEW, typed(robot_id="rover-1")).headers["Location"]

    page = text(alice.get(where))
    assert Robot.objects.get(pk="rover-1").returned_at is not None
    assert "espera su primera lectura" in page


def test_the_first_reading_is_seen(alice: Client):
    where = alice.post(NEW, typed()).headers["Location"]
    waiting = text(alice.get(where))

    say("rover-9", 1, {"battery_pct": 81.0, "TEMP": 21.5})
    there = text(alice.get(where))

    assert 'data-refresh-s="2"' in waiting
    assert "rover-9 espera su primera lectura" in waiting
    assert "<h1>rover-9 ya envía lecturas</h1>" in there
    assert "81\xa0%" in there
    assert there.count('class="done"') == 3


def test_what_cannot_be_stored_is_said_with_its_reason(alice: Client):
    where = alice.post(NEW, typed()).headers["Location"]
    import msgspec

    ingest_relay(Relay(plain=[PlainItem("rover-9", msgspec.Raw(b'{"data":{"a":null}}'))]), now=datetime.now(UTC))

    page = text(alice.get(where))
    assert "no se puede guardar" in page
    assert "data.a" in page


def test_after_twenty_seconds_of_nothing_a_person_is_told_where_to_look(alice: Client):
    where = alice.post(NEW, typed()).headers["Location"]
    Credential.objects.filter(robot_id="rover-9").update(created_at=datetime.now(UTC) - timedelta(seconds=30))

    assert "cortafuegos" in text(alice.get(where))


def claimed(alice: Client, way: str = "docker") -> str:
    answer = alice.post(NEW, typed(way=way))
    assert answer.status_code == 303
    page = text(alice.get(answer.headers["Location"]))
    line = re.search(r'<code id="claim">([^<]+)</code>', page)
    assert line is not None
    assert "<svg" in page
    assert 'id="secret"' not in page
    return line[1]


@pytest.mark.parametrize("way", ["docker", "python"])
def test_where_the_agent_runs_a_claim_is_shown_in_place_of_a_secret(way: str, alice: Client, people: SimpleNamespace):
    line = claimed(alice, way)
    said = read(line)
    assert (said.robot_id, said.server) == ("rover-9", "http://127.0.0.1:8000")
    assert not Credential.objects.filter(robot="rover-9").exists()
    assert f"croody-edge enrol {'--only ' if way == 'docker' else ''}{line}" in text(alice.get(f"{NEW}rover-9/?way={way}"))
    # Another browser is shown none, and may make one, which ends the first.
    other = Client()
    other.force_login(people.alice)
    assert line not in text(other.get(f"{NEW}rover-9/?way={way}"))
    answer = other.post(f"{NEW}rover-9/claim/", {"way": way})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/es/console/robots/new/rover-9/?way={way}")
    assert 'id="claim"' in text(other.get(answer.headers["Location"]))
    assert 'id="claim"' not in text(alice.get(f"{NEW}rover-9/?way={way}"))


def test_a_board_that_came_in_is_seen_and_its_claim_shown_no_more(alice: Client):
    said = read(claimed(alice))
    assert "La placa canjeó su pase" in text(alice.get(f"{NEW}rover-9/"))
    exchange(Exchange(said.token, hashes_of("its own")), address="", now=timezone.now())
    page = text(alice.get(f"{NEW}rover-9/"))
    assert "Una placa entró por su pase" in page
    assert 'id="claim"' not in page
    ingest_one(Telemetry(data={"temp_c": 21.5}), "rover-9", "http", now=timezone.now())
    assert "rover-9 ya envía lecturas" in text(alice.get(f"{NEW}rover-9/"))


def test_who_may_not_configure_makes_no_claim(alice: Client, people: SimpleNamespace):
    claimed(alice)
    bob = Client()
    bob.force_login(people.bob)
    assert bob.post(f"{NEW}rover-9/claim/", {}).status_code in (403, 404)
    assert alice.get(f"{NEW}rover-9/claim/").status_code == 303
    assert Claim.objects.count() == 1

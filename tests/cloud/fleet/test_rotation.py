"""A robot changes its secret by itself: whatever is killed, lost, repeated or late, one secret is good in the end, and the robot has it.

The cloud's books, the broker's file and its reader, and the robot's keyring and command are the real ones; between them stands a world in
which every step is one call.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace

import msgspec
import pytest

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm
from croody.audit.actor import Actor
from croody.audit.models import Entry
from croody.commands import services as commands
from croody.commands.models import Outgoing
from croody.enrolment import rotation
from croody.fleet import claims, jobs, queries, services
from croody.fleet.models import Credential, NextCredential
from croody.fleet.services import BadRobot, sha256_of
from croody_broker.credentials import Accounts, parse_passwd
from croody_contract import mosquitto
from croody_contract.claims import Exchange, hashes_of
from croody_contract.messages import Answer
from croody_edge import identity
from croody_edge.commands.rotate import RotateCommand
from croody_edge.identity import Identity
from croody_edge.keyring import Keyring

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALICE = Actor("person", name="alice")
ROVER = "rover-1"


class World:
    """A robot, a broker and a cloud; `now` is a number that the steps move."""

    def __init__(self, people: SimpleNamespace, folder: Path) -> None:
        self.rover, self.folder = people.rover, folder / "edge"
        identity.write(self.folder, Identity(ROVER, people.rover_secret, "c" * 64, ["mqtt://127.0.0.1:1"]))
        self.files = folder / "broker"
        self.write = jobs.CredentialWriter(self.files, "the bridge's password")
        self.accounts = Accounts({})
        self.now = NOW
        self.down: list[commands.OutgoingMessage] = []
        self.up: list[tuple[int, Answer]] = []
        self.sent: list[tuple[int, Answer]] = []
        self.connected = False
        self.kill_robot()
        self.worker_writes()
        self.broker_reads()
        self.robot_connects()

    # steps

    def time_goes(self) -> None:
        self.now += timedelta(minutes=1)

    def cloud_sends(self) -> None:
        self.down += [item.outgoing for item in commands.claim_due(self.now)]

    def robot_hears(self) -> None:
        if self.down and self.connected:
            asked = self.down.pop(0)
            answer = self.command.do(asked.payload, 0.0, 0.0)
            self.up.append((asked.id, answer))
            self.sent.append((asked.id, answer))

    def cloud_hears(self) -> None:
        if self.up:
            number, said = self.up.pop(0)
            commands.answer(ROVER, number, said, now=self.now)

    def answer_comes_again(self) -> None:
        if self.sent:
            number, said = self.sent[-1]
            commands.answer(ROVER, number, said, now=self.now)

    def answer_is_lost(self) -> None:
        del self.up[:1]

    def command_is_lost(self) -> None:
        del self.down[:1]

    def worker_writes(self) -> None:
        self.write()

    def worker_starts_again(self) -> None:
        self.write = jobs.CredentialWriter(self.files, "the bridge's password")

    def worker_looks(self) -> None:
        rotation.end_late(self.now, since=NOW - rotation.LOOKS_BACK)

    def broker_reads(self) -> None:
        self.accounts, problems = parse_passwd((self.files / mosquitto.PASSWD_NAME).read_text())
        assert not problems
        # It ends who is connected by what no longer counts.
        self.connected = self.connected and self.accounts.check(ROVER, self.keyring.live)

    def robot_connects(self) -> None:
        if not self.connected:
            for secret in self.keyring.candidates:
                if self.accounts.check(ROVER, secret):
                    self.connected = True
                    self.keyring.worked(secret)
                    return

    def kill_robot(self) -> None:
        mine = identity.read(self.folder)
        assert mine is not None
        self.keyring = Keyring(mine.secret, self.folder)
        self.command = RotateCommand(self.keyring)
        self.connected = False

    # what holds

    def all_goes_well(self) -> None:
        """Nobody is killed any more, for as long as a rotation may take and a little longer."""
        for _ in range(14):
            for step in (*HAPPY, self.time_goes, self.worker_looks):
                getattr(self, step)() if isinstance(step, str) else step()

    def good(self) -> list[str]:
        """Secrets of the board by which it may come in, at the broker and over HTTP."""
        there, _ = parse_passwd((self.files / mosquitto.PASSWD_NAME).read_text())
        found = [one for one in self.keyring.candidates if there.check(ROVER, one)]
        over_http = [one for one in self.keyring.candidates if queries.robot_id_of_secret(one, self.now) == ROVER]
        assert found == over_http
        return found


HAPPY = ("cloud_sends", "robot_hears", "cloud_hears", "worker_writes", "broker_reads", "robot_connects")
#: What may come at any moment, beside what ought to.
UNHAPPY = ("kill_robot", "worker_starts_again", "answer_is_lost", "command_is_lost", "answer_comes_again", "time_goes", "worker_looks")


@pytest.fixture
def world(people: SimpleNamespace, tmp_path: Path) -> World:
    return World(people, tmp_path)


def ask(world: World) -> Outgoing:
    return rotation.ask(world.rover, can=True, actor=ALICE, now=world.now)


def run(world: World, steps: Sequence[str]) -> None:
    for step in steps:
        getattr(world, step)()


def test_a_robot_that_is_asked_has_another_secret_and_the_old_one_is_dead(world: World, people: SimpleNamespace) -> None:
    row = ask(world)
    run(world, HAPPY)
    # It has come in by the new one and has not said so yet: over HTTP both are its own.
    assert world.keyring.live != people.rover_secret
    assert {queries.robot_id_of_secret(one, world.now) for one in world.keyring.candidates} == {ROVER}
    world.time_goes()
    run(world, HAPPY)
    row.refresh_from_db()
    assert row.answer_state == "done"
    assert world.good() == [world.keyring.live]
    assert queries.robot_id_of_secret(people.rover_secret, world.now) is None
    assert (world.connected, NextCredential.objects.exists(), Alarm.objects.exists()) == (True, False, False)
    asked, done = Entry.objects.filter(verb__in=("ask_rotate", "rotate_itself")).order_by("pk")
    assert [(asked.kind, asked.name), (done.kind, done.name)] == [("person", "alice"), ("robot", ROVER)]
    # Nothing of the secret itself came up.
    assert world.keyring.live not in str(world.sent)


@pytest.mark.parametrize("kill", [0, 1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("what", ["kill_robot", "worker_starts_again", "answer_is_lost", "command_is_lost", "answer_comes_again"])
def test_killed_at_any_step_it_goes_on_where_it_was(world: World, people: SimpleNamespace, kill: int, what: str) -> None:
    row = ask(world)
    run(world, (*HAPPY[:kill], what, *HAPPY[kill:]))
    world.all_goes_well()
    row.refresh_from_db()
    assert (row.answer_state, world.connected) == ("done", True)
    assert world.good() == [world.keyring.live] != [people.rover_secret]
    assert not Alarm.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize("stays_away", [("worker_writes",), ("broker_reads",), ("robot_hears",), ("cloud_hears",), ("robot_connects",)])
def test_who_stays_away_for_too_long_costs_the_change_and_never_the_robot(
    world: World, people: SimpleNamespace, stays_away: tuple[str, ...]
) -> None:
    row = ask(world)
    for _ in range(14):
        run(world, [step for step in HAPPY if step not in stays_away])
        world.time_goes()
    world.worker_looks()
    row.refresh_from_db()
    assert row.answer_state == "expired"
    alarm = Alarm.objects.get(kind="rotation_unfinished", resolved_at=None)
    assert alarm.detail["why"] == ("silent" if stays_away[0] in ("robot_hears", "cloud_hears") else "unproven")
    assert verbs_of_end() == ["keep_secret"]
    world.all_goes_well()
    assert (world.good(), world.connected) == ([people.rover_secret], True)
    # The next one works, and ends the alarm.
    ask(world)
    world.all_goes_well()
    assert world.good() == [world.keyring.live] != [people.rover_secret]
    assert not Alarm.objects.filter(resolved_at=None).exists()


def verbs_of_end() -> list[str]:
    return [entry.verb for entry in Entry.objects.filter(verb__in=("keep_secret", "rotate_itself"))]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_in_whatever_order_one_secret_is_good_and_the_robot_has_it(world: World, seed: int) -> None:
    random = Random(seed)
    for _ in range(120):
        run(world, random.choices((*HAPPY, *UNHAPPY, "cloud_hears", "robot_hears"), k=1))
        if random.random() < 0.05:
            ask(world)
        assert Credential.objects.filter(robot=ROVER).count() == 1
    world.all_goes_well()
    assert world.connected
    assert world.good() == [world.keyring.live]
    assert not Outgoing.objects.filter(answered_at=None).exists()


def test_late_and_repeated_answers_change_nothing(world: World, people: SimpleNamespace) -> None:
    row = ask(world)
    first, second = (Answer("received", hashes=hashes_of(secret)) for secret in ("first", "second"))
    assert commands.answer(ROVER, row.pk, first, now=NOW)
    # Another board with the same disk is slower: it is not the robot.
    commands.answer(ROVER, row.pk, second, now=NOW)
    assert NextCredential.objects.get().sha256 == sha256_of("first")
    # Another robot's answer is none.
    assert not commands.answer("rover-2", row.pk, Answer("done"), now=NOW)
    late = NOW + rotation.LASTS
    assert commands.answer(ROVER, row.pk, Answer("done"), now=late)
    assert Credential.objects.get(robot=ROVER).sha256 == sha256_of(people.rover_secret)
    assert not NextCredential.objects.exists()
    for said in (first, second, Answer("done")):
        assert not commands.answer(ROVER, row.pk, said, now=late)
    assert Credential.objects.get(robot=ROVER).sha256 == sha256_of(people.rover_secret)


def test_who_says_done_and_showed_nothing_has_changed_nothing(world: World, people: SimpleNamespace) -> None:
    row = ask(world)
    commands.answer(ROVER, row.pk, Answer("done"), now=NOW)
    assert Credential.objects.get(robot=ROVER).sha256 == sha256_of(people.rover_secret)
    assert Alarm.objects.get().detail == {"why": "unproven"}


def test_a_robot_that_cannot_says_why_and_somebody_is_told(world: World) -> None:
    row = ask(world)
    commands.answer(ROVER, row.pk, Answer("refused", "the new secret cannot be kept on this board: no space"), now=NOW)
    alarm = Alarm.objects.get(kind="rotation_unfinished")
    assert "no space" in alarm.detail["said"]
    assert not NextCredential.objects.exists()


@pytest.mark.parametrize("instead", ["rotate", "claim", "revoke"])
def test_another_secret_from_outside_ends_what_is_under_way(world: World, people: SimpleNamespace, instead: str) -> None:
    row = ask(world)
    run(world, HAPPY[:3])
    assert NextCredential.objects.exists()
    given: dict[str, Callable[[], str]] = {
        "rotate": lambda: services.rotate_secret(people.rover, now=NOW),
        "claim": lambda: by_claim(people, "by a claim"),
        "revoke": lambda: services.revoke(people.rover, now=NOW) or "",
    }
    secret = given[instead]()
    row.refresh_from_db()
    assert row.answered_at is not None
    assert not NextCredential.objects.exists()
    commands.answer(ROVER, row.pk, Answer("done"), now=NOW)
    good = [one for one in (secret, *world.keyring.candidates) if one and queries.robot_id_of_secret(one, NOW)]
    assert good == ([secret] if secret else [])


def by_claim(people: SimpleNamespace, secret: str) -> str:
    made = claims.claim_robot(people.rover, actor=ALICE, now=NOW)
    claims.exchange(Exchange(made.token, hashes_of(secret)), address="", now=NOW)
    return secret


def test_an_agent_that_speaks_by_http_by_now_or_has_its_secret_in_its_settings_cannot(people: SimpleNamespace) -> None:
    from croody.telemetry.ingest import services as telemetry
    from croody.telemetry.read.capabilities import can
    from croody_contract.messages import Born, Reading, Telemetry, encode
    from croody_contract.relay import BatchItem, Relay

    def start(stream: str, second: int, *kinds: str) -> None:
        records = [Born(agent="croody-edge 1", capabilities=list(kinds)), Reading(data={"a": 1})]
        item = BatchItem(ROVER, stream, 1, [msgspec.Raw(encode(one)) for one in records])
        telemetry.ingest_relay(Relay(batches=[item]), now=NOW + timedelta(seconds=second))

    start("stream-enrolled", 0, "resend", "rotate")
    assert can(ROVER, "rotate")
    telemetry.ingest_one(Telemetry(data={"a": 2}), ROVER, "http", now=NOW + timedelta(seconds=10))
    assert not can(ROVER, "rotate"), "nothing goes down over HTTP"
    start("stream-pasted-secret", 20, "resend")
    assert (can(ROVER, "resend"), can(ROVER, "rotate")) == (True, False)
    start("stream-enrolled-again", 30, "resend", "rotate")
    assert can(ROVER, "rotate")


def test_it_is_not_asked_twice_nor_without_an_agent_that_can_nor_while_its_secret_is_in_two_places(world: World) -> None:
    with pytest.raises(BadRobot, match="no puede cambiar su secreto solo"):
        rotation.ask(world.rover, can=False, actor=ALICE, now=NOW)
    raise_alarm(ROVER, "credential_copied", "", "high", {}, NOW)
    with pytest.raises(BadRobot, match="está en dos sitios"):
        ask(world)
    Alarm.objects.update(resolved_at=NOW)
    assert ask(world).pk == ask(world).pk
    assert Entry.objects.filter(verb="ask_rotate").count() == 1

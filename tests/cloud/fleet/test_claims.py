"""Claims: who comes in by one, who does not and why, and what becomes of the secret that was there before."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from croody.alarms.models import Alarm
from croody.audit.actor import Actor
from croody.audit.models import Entry
from croody.fleet import claims, queries, services
from croody.fleet.models import Claim, Credential, Enrolment, Robot
from croody.worker import retention
from croody_contract import claims as contract
from croody_contract.claims import Exchange, hashes_of

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALICE = Actor("person", name="alice")
MINUTE = timedelta(minutes=1)


def of_rover(people: SimpleNamespace, **more: Any) -> claims.Made:
    return claims.claim_robot(people.rover, actor=ALICE, now=NOW, **more)


def come(made: claims.Made, secret: str = "board's own", *, at: datetime = NOW + MINUTE, **more: Any) -> Robot:
    return claims.exchange(Exchange(made.token, hashes_of(secret), **more), address="10.0.0.9", now=at)


def why(made: claims.Made, *args: Any, **more: Any) -> str:
    with pytest.raises(claims.ClaimRefused) as refused:
        come(made, *args, **more)
    assert refused.value.why in claims.REFUSALS
    return refused.value.why


def whose(secret: str) -> str | None:
    return queries.robot_id_of_secret(secret, NOW)


def test_a_board_comes_in_by_its_own_secret_and_only_hashes_are_kept(people: SimpleNamespace) -> None:
    made = of_rover(people)
    # Until the board is there, the secret of before is good.
    assert whose(people.rover_secret) == "rover-1"
    assert come(made).pk == "rover-1"
    assert (whose("board's own"), whose(people.rover_secret)) == ("rover-1", None)
    assert made.token not in str(list(Claim.objects.values_list()))
    assert [entry.verb for entry in Entry.objects.filter(thing="robot").order_by("pk")] == ["add", "claim", "enrol"]


def test_the_same_exchange_may_be_repeated_while_the_claim_lasts(people: SimpleNamespace) -> None:
    made = of_rover(people)
    for _ in range(3):
        assert come(made).pk == "rover-1"
    assert (Enrolment.objects.count(), Credential.objects.count(), Alarm.objects.count()) == (1, 1, 0)
    assert why(made, at=NOW + timedelta(hours=2)) == "claim_expired"
    assert whose("board's own") == "rover-1"


def test_a_second_board_stays_out_and_is_an_alarm_also_when_the_time_is_over(people: SimpleNamespace) -> None:
    made = of_rover(people)
    come(made)
    assert why(made, "another board's") == "claim_used"
    assert why(made, "another board's", at=NOW + timedelta(hours=2)) == "claim_used"
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.robot_id, alarm.count, alarm.detail) == ("claim_used_again", "rover-1", 2, {"address": "10.0.0.9"})
    assert whose("board's own") == "rover-1"
    assert whose("another board's") is None


def test_an_old_exchange_brings_no_old_secret_back(people: SimpleNamespace) -> None:
    made = of_rover(people)
    come(made)
    services.rotate_secret(people.rover, now=NOW)
    assert why(made) == "claim_replayed"
    assert whose("board's own") is None


def test_each_reason_has_its_word(people: SimpleNamespace) -> None:
    unknown = claims.Made(Claim(), "A" * 24)
    assert why(unknown) == "claim_unknown"
    first = of_rover(people)
    assert why(first, at=NOW + claims.LIFE) == "claim_expired"
    assert why(first, robot_id="rover-2") == "claim_foreign"
    second = of_rover(people)
    assert why(first) == "claim_revoked"
    assert claims.revoke_claim(second.claim, actor=ALICE, now=NOW)
    assert not claims.revoke_claim(second.claim, actor=ALICE, now=NOW)
    assert why(second) == "claim_revoked"
    third = of_rover(people)
    services.revoke(people.rover, now=NOW)
    assert why(third) == "claim_revoked"
    with pytest.raises(services.BadRobot, match="rover-1"):
        of_rover(people)


def test_nobody_takes_the_secret_of_another_robot(people: SimpleNamespace) -> None:
    other = services.register_robot("rover-2", organisation=people.organisation)
    made = claims.claim_robot(other, actor=ALICE, now=NOW)
    assert why(made, people.rover_secret) == "claim_foreign"
    assert whose(people.rover_secret) == "rover-1"


@pytest.mark.parametrize("life", [timedelta(seconds=59), timedelta(minutes=61), timedelta(days=400)])
def test_no_claim_lives_longer_than_an_hour(people: SimpleNamespace, life: timedelta) -> None:
    with pytest.raises(services.BadRobot, match="60"):
        of_rover(people, life=life)


def of_line(people: SimpleNamespace, most: int = 2, **more: Any) -> claims.Made:
    said: dict[str, Any] = {"serials": "RV-##*", "kind": "rover", "actor": ALICE, "now": NOW, **more}
    return claims.claim_group(people.organisation, more.pop("group", "line"), most=most, **{k: v for k, v in said.items() if k != "group"})


def test_a_line_of_boards_makes_robots_of_itself_up_to_its_limit(people: SimpleNamespace) -> None:
    made = of_line(people)
    assert come(made, "one", serial="RV-01").pk == "line-RV-01"
    assert come(made, "one", serial="RV-01").pk == "line-RV-01"
    assert come(made, "two", serial="RV-02b").pk == "line-RV-02b"
    assert why(made, "three", serial="RV-03") == "claim_full"
    assert (whose("one"), whose("two"), whose("three")) == ("line-RV-01", "line-RV-02b", None)
    robot = Robot.objects.get(pk="line-RV-01")
    assert (robot.kind, robot.organisation, robot.shared) == ("rover", people.organisation, False)
    assert claims.counted([made.claim]) == {made.claim.pk: 2}
    assert claims.state_of(made.claim, 2, NOW) == "used"


@pytest.mark.parametrize("serial", ["", "RV", "RV-1", "RV-0a", "XRV-01", "RV-01/x", "RV-01 ", "rv-01", "RV-01" + "x" * 40])
def test_a_serial_of_another_form_stays_out(people: SimpleNamespace, serial: str) -> None:
    assert why(of_line(people), serial=serial) == "claim_serial"
    assert Robot.objects.count() == 1


def test_a_second_board_with_one_serial_stays_out_and_is_an_alarm(people: SimpleNamespace) -> None:
    made = of_line(people, most=9)
    come(made, "one", serial="RV-01")
    assert why(made, "copy", serial="RV-01") == "claim_used"
    assert Alarm.objects.get().robot_id == "line-RV-01"


def test_a_group_takes_no_robot_that_was_there_before(people: SimpleNamespace) -> None:
    services.add_robot("line-RV-07", organisation=people.organisation)
    assert why(of_line(people), serial="RV-07") == "claim_foreign"
    assert Credential.objects.filter(robot="line-RV-07").count() == 1


@pytest.mark.parametrize(
    "more", [{"serials": "*-##"}, {"serials": ""}, {"serials": "RV ##"}, {"most": 0}, {"most": 501}, {"group": "a/b"}, {"group": ""}]
)
def test_a_group_that_breaks_a_rule_is_refused(people: SimpleNamespace, more: dict[str, Any]) -> None:
    with pytest.raises(services.BadRobot):
        of_line(people, **more)


def test_unused_claims_do_not_pile_up_and_old_ones_go(people: SimpleNamespace) -> None:
    for number in range(60):
        made = claims.claim_robot(people.rover, actor=ALICE, now=NOW + number * timedelta(seconds=1))
    assert Claim.objects.count() <= 51
    come(made)
    retention.let_go(NOW + timedelta(days=32))
    assert (Claim.objects.count(), Enrolment.objects.count(), whose("board's own")) == (0, 0, "rover-1")


def test_an_authority_is_told_by_its_fingerprint_while_a_claim_names_it(people: SimpleNamespace, site_authority: str) -> None:
    made = of_rover(people, authority=site_authority)
    assert claims.authority_of(made.claim.fingerprint, now=NOW) == site_authority
    assert claims.authority_of("A" * 43, now=NOW) == ""
    assert claims.authority_of(made.claim.fingerprint, now=NOW + timedelta(hours=2)) == ""
    assert contract.FINGERPRINT.fullmatch(made.claim.fingerprint)


def test_the_command_prints_one_line_and_a_picture_of_it(people: SimpleNamespace, capsys: Any) -> None:
    call_command("robot", "claim", "rover-1")
    out, beside = capsys.readouterr()
    said = contract.read(out)
    assert (said.server, said.robot_id, out.count("\n")) == ("http://127.0.0.1:8000", "rover-1", 1)
    assert f"croody-edge enrol '{out.strip()}'" in beside
    assert "▄" in beside
    assert "once:" in beside
    call_command("robot", "claim", "fresh-1", "--add", "--kind", "rover", "--line")
    capsys.readouterr()
    call_command("robot", "claim", "--group", "line", "--serials", "RV-##", "--most", "3")
    assert "On each board" in (beside := capsys.readouterr()[1])
    assert "3 come in at most" in beside
    call_command("robot", "claims")
    rows = [row.split("\t") for row in capsys.readouterr()[0].splitlines()]
    assert [(row[1], row[2], row[4]) for row in rows] == [("@line", "0/3", "open"), ("fresh-1", "0/1", "open"), ("rover-1", "0/1", "open")]
    call_command("robot", "unclaim", rows[0][0])
    call_command("robot", "claims")
    assert "@line" not in capsys.readouterr()[0]
    assert Robot.objects.get(pk="fresh-1").kind == "rover"
    assert not Credential.objects.filter(robot="fresh-1").exists()


@pytest.mark.parametrize(
    "line",
    [["claim"], ["claim", "rover-1", "--group", "x"], ["claim", "nobody"], ["claim", "rover-1", "--minutes", "61"], ["unclaim", "7"],
     ["claim", "--group", "x"]],
)  # fmt: skip
def test_the_command_says_what_is_wrong(people: SimpleNamespace, line: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("robot", *line)
    assert Claim.objects.count() == 0


def test_no_claim_is_made_for_an_address_in_the_open(people: SimpleNamespace, settings: Any) -> None:
    import dataclasses

    settings.ENV = dataclasses.replace(settings.ENV, public_url="http://robots.example.org")
    with pytest.raises(CommandError, match="CROODY_PUBLIC_URL"):
        call_command("robot", "claim", "rover-1")

"""Password files both ways, and who may come in: pure decisions, and Mosquitto's own tool as a witness."""

import shutil
import subprocess
from pathlib import Path

import pytest

from croody_broker.credentials import parse_passwd
from croody_broker.policy import IDENTIFIER_REJECTED, NOT_AUTHORIZED, Admitted, Knock, Policy, Refused
from croody_broker.rules import parse_acl
from croody_contract import mosquitto
from croody_contract.security import Kind

ALICE, SECRET = "rover-alice", "x" * 43
PASSWD = mosquitto.render_passwd({ALICE: mosquitto.hash_secret(SECRET), "bridge": mosquitto.hash_secret("y" * 43)})
POLICY = Policy(parse_passwd(PASSWD)[0], parse_acl(mosquitto.render_acl())[0])


def test_a_secret_opens_its_own_account_only() -> None:
    accounts, problems = parse_passwd(PASSWD)
    assert problems == []
    assert accounts.check(ALICE, SECRET)
    assert not accounts.check(ALICE, SECRET + "x")
    assert not accounts.check(ALICE, "")
    assert not accounts.check("bridge", SECRET)
    assert not accounts.check("nobody", SECRET)
    assert not accounts.check("nobody", "nobody's secret")


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto_passwd is not installed: apt install mosquitto")
def test_a_line_of_mosquitto_passwd_is_read(tmp_path: Path) -> None:
    subprocess.run(["mosquitto_passwd", "-c", "-b", str(tmp_path / "passwd"), ALICE, SECRET], check=True, timeout=10)
    accounts, problems = parse_passwd((tmp_path / "passwd").read_text())
    assert problems == []
    assert accounts.check(ALICE, SECRET)
    assert not accounts.check(ALICE, "other")


def test_the_same_secret_gets_another_salt_each_time() -> None:
    assert mosquitto.hash_secret(SECRET) != mosquitto.hash_secret(SECRET)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("alice", "expected $7$"),
        ("alice:secret", "expected $7$"),
        ("alice:$6$c2FsdHNhbHRzYWw=$aGFzaA==", "expected $7$"),
        ("alice:$7$0$c2FsdHNhbHRzYWw=$aGFzaA==", "iterations '0'"),
        ("alice:$7$99999999999$c2FsdHNhbHRzYWw=$aGFzaA==", "iterations"),
        ("alice:$7$-1$c2FsdHNhbHRzYWw=$aGFzaA==", "iterations"),
        ("alice:$7$101$c2FsdA==$aGFzaA==", "salt and hash"),
        ("alice:$7$101$***$aGFzaA==", "line 2"),
        ("a b:" + mosquitto.hash_secret("s"), "user 'a b'"),
        ("+:" + mosquitto.hash_secret("s"), "user '+'"),
        (f"{ALICE}:" + mosquitto.hash_secret("other"), "stands there twice"),
    ],
)
def test_a_bad_line_is_named_without_showing_it_and_lets_nobody_in(line: str, reason: str) -> None:
    first = PASSWD.splitlines()[1]
    assert first.startswith(ALICE)
    accounts, [problem] = parse_passwd(f"{first}\n{line}\n")
    assert problem.startswith("line 2: ")
    assert reason in problem
    assert "aGFzaA" not in problem
    assert len(accounts) == 1
    assert accounts.check(ALICE, SECRET)


def test_the_files_hold_no_robot_with_the_bridges_name() -> None:
    with pytest.raises(ValueError, match="bridge's account"):
        mosquitto.render_files({"bridge": mosquitto.hash_secret("x")}, mosquitto.hash_secret("y"))


def test_the_bridges_own_file_holds_the_bridge_alone() -> None:
    files = mosquitto.render_files({ALICE: mosquitto.hash_secret(SECRET)}, mosquitto.hash_secret("y"))
    assert sorted(files) == ["acl", "passwd", "passwd.bridge"]
    assert [line.split(":")[0] for line in files["passwd.bridge"].splitlines()] == ["bridge"]
    assert [line.split(":")[0] for line in files["passwd"].splitlines()] == ["bridge", ALICE]


@pytest.mark.parametrize("secret", ["", "a\0b", "x" * 65536])
def test_a_secret_that_no_client_could_send_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        mosquitto.hash_secret(secret)


@pytest.mark.parametrize("user", ["", "ab", "a:b", "a/b", "a\nb", "a+b", "x" * 65, "alice\n"])
def test_a_user_that_would_break_the_file_or_a_topic_is_refused(user: str) -> None:
    with pytest.raises(ValueError, match="user"):
        mosquitto.password_line(user, SECRET)


@pytest.mark.parametrize("client_id", [ALICE, f"{ALICE}:agent", f"{ALICE}:a:b", f"{ALICE}:", None, ""])
def test_a_client_id_that_begins_with_the_user_is_let_in(client_id: str | None) -> None:
    verdict = POLICY.admit(Knock(ALICE, SECRET, client_id), "fresh")
    assert isinstance(verdict, Admitted)
    assert verdict.client_id == (client_id or f"{ALICE}:fresh")


@pytest.mark.parametrize(
    "client_id", ["rover-bob", "rover-bob:agent", f"{ALICE}x", f"x{ALICE}", f"{ALICE}:\n", f":{ALICE}", f"{ALICE}:{'x' * 130}"]
)
def test_any_other_client_id_is_rejected(client_id: str) -> None:
    verdict = POLICY.admit(Knock(ALICE, SECRET, client_id), "fresh")
    assert isinstance(verdict, Refused)
    assert verdict.code == IDENTIFIER_REJECTED


def test_somebody_with_a_wrong_password_learns_nothing_about_client_ids_or_wills() -> None:
    verdict = POLICY.admit(Knock(ALICE, "wrong", "rover-bob", will_topic="x", will_retain=True), "fresh")
    assert verdict == Refused(NOT_AUTHORIZED, "user 'rover-alice': unknown, or a wrong password", Kind.WRONG_SECRET)


def test_a_certificate_has_to_be_the_users_own_where_one_is_asked_for() -> None:
    for name, let_in in ((ALICE, True), ("rover-bob", False), (None, False)):
        verdict = POLICY.admit(Knock(ALICE, SECRET, None, needs_certificate=True, common_name=name), "fresh")
        assert isinstance(verdict, Admitted) is let_in


def test_without_files_everybody_is_refused() -> None:
    assert isinstance(Policy().admit(Knock(ALICE, SECRET, ALICE), "fresh"), Refused)


def test_the_bridges_group_cannot_be_guessed_and_is_the_same_for_all_bridges() -> None:
    assert mosquitto.share_group(SECRET) == mosquitto.share_group(SECRET)
    assert mosquitto.share_group(SECRET) != mosquitto.share_group(SECRET + "x")
    assert len(mosquitto.share_group(SECRET)) >= 32
    assert not set(mosquitto.share_group(SECRET)) & set("/+#")

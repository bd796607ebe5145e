"""Secrets of a board while it changes them: whichever of them the broker knows, and wherever the power goes, it can come in."""

from pathlib import Path

import pytest

from croody_contract.claims import hashes_of
from croody_contract.messages import Answer
from croody_edge import identity
from croody_edge.commands.rotate import RotateCommand
from croody_edge.identity import Identity
from croody_edge.keyring import Keyring, OtherBoard
from croody_edge.settings import Settings
from croody_edge.sync import capabilities

ROTATION, OTHER = "rotation-1", "rotation-2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    identity.write(tmp_path, Identity("rover-1", "old", "c" * 64, ["mqtt://127.0.0.1:1"]))
    return tmp_path


def start(folder: Path) -> Keyring:
    """As an agent does at every start: what the file says comes first."""
    mine = identity.read(folder)
    assert mine is not None
    return Keyring(mine.secret, folder)


def ask(keyring: Keyring, rotation: str = ROTATION) -> Answer:
    return RotateCommand(keyring).do({"rotation": rotation}, 0.0, 0.0)


def shown(answer: Answer) -> str:
    assert answer.hashes is not None
    return answer.hashes.sha256


def test_the_secret_lies_on_the_disk_for_this_user_alone_before_anybody_hears_of_it(folder: Path) -> None:
    answer = ask(start(folder))
    assert answer.state == "received"
    kept = identity.read(folder)
    assert kept is not None
    assert kept.next is not None
    assert (kept.secret, hashes_of(kept.next.secret).sha256) == ("old", shown(answer))
    assert (folder / identity.NAME).stat().st_mode & 0o777 == 0o600
    assert kept.next.secret not in str(answer)


def test_asked_again_it_shows_the_same_secret_also_after_a_restart(folder: Path) -> None:
    first = ask(start(folder))
    assert shown(ask(start(folder))) == shown(first)
    # A new one is made for another rotation alone, and none of those that may be good is forgotten.
    before = set(start(folder).candidates)
    assert shown(ask(start(folder), OTHER)) != shown(first)
    assert before < set(start(folder).candidates)


def test_it_is_done_once_a_broker_took_the_new_one_and_not_before(folder: Path) -> None:
    keyring = start(folder)
    ask(keyring)
    made = keyring.made_for(ROTATION)
    assert made is not None
    # The broker takes one of them alone, and the new one is the likelier from here on.
    assert keyring.candidates == (made, "old")
    keyring.worked("old")
    assert (ask(keyring).state, keyring.candidates) == ("received", ("old", made))
    keyring.worked(made)
    assert ask(keyring).state == "done"
    assert start(folder).candidates == (made, "old")


def test_after_any_number_of_rotations_there_are_three_secrets_at_most(folder: Path) -> None:
    keyring = start(folder)
    for number in range(20):
        rotation = f"rotation-{number}"
        ask(keyring, rotation)
        made = keyring.made_for(rotation)
        assert made is not None
        if number % 3:
            keyring.worked(made)
        assert keyring.live in start(folder).candidates
        assert len(start(folder).candidates) <= 3


def test_a_disk_that_takes_nothing_is_said_and_changes_nothing(folder: Path) -> None:
    keyring = start(folder)
    (folder / f".{identity.NAME}.new").mkdir()  # stands where the new file would be written
    answer = ask(keyring)
    assert (answer.state, answer.hashes) == ("refused", None)
    assert "cannot be kept on this board" in answer.detail
    assert keyring.candidates == start(folder).candidates == ("old",)


def test_a_folder_that_is_another_boards_by_now_is_left_alone(folder: Path) -> None:
    keyring = start(folder)
    identity.write(folder, Identity("rover-1", "enrolled again", "d" * 64, ["mqtt://127.0.0.1:1"]))
    with pytest.raises(OtherBoard):
        keyring.make(ROTATION)
    assert ask(keyring).state == "refused"
    assert start(folder).candidates == ("enrolled again",)


def test_a_payload_that_is_none_is_refused_with_the_rule(folder: Path) -> None:
    with pytest.raises(ValueError, match="payload"):
        RotateCommand(start(folder)).do({"rotation": "no"}, 0.0, 0.0)


def test_a_secret_that_somebody_else_keeps_is_not_the_boards_to_change(tmp_path: Path) -> None:
    assert "rotate" in capabilities(Settings("rover-1", tmp_path, enrolled=True))
    assert "rotate" not in capabilities(Settings("rover-1", tmp_path, secret="pasted"))
    assert "rotate" not in capabilities(Settings("rover-1", tmp_path, enrolled=True, ingest_url="http://x"))

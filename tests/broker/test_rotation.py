"""A robot whose account gets another password line: its real link on both brokers comes in by whichever secret the line is of."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from croody_contract import mosquitto
from croody_edge import identity
from croody_edge.identity import Identity
from croody_edge.keyring import Keyring
from croody_edge.link.address import BrokerAddress
from croody_edge.link.client import Link
from croody_edge.link.connection import Happening, Up
from tests.broker.house import ALICE, BOB, House, secret_of, wait_until

OLD = secret_of(ALICE)


class Robot:
    """Alice's, with her secrets on a disk."""

    def __init__(self, house: House, folder: Path) -> None:
        self.folder = folder
        mine = identity.read(folder)
        assert mine is not None
        self.keyring = Keyring(mine.secret, folder)
        will = (f"croody/v1/{ALICE}/up/presence", b"{}")
        options = {"will": will, "keepalive_s": 20, "qos": 1, "suffix": secrets.token_hex(4), "random": Random(1)}
        self.link = Link([BrokerAddress("127.0.0.1", house.port)], ALICE, self.keyring, **options)
        self.seen: list[Happening] = []
        self.link.start()

    def came_in_by(self, secret: str) -> bool:
        """And nothing else holds the connection."""
        for happening in self.link.take():
            self.seen.append(happening)
            if isinstance(happening, Up):
                self.keyring.worked(happening.secret)
        return self.keyring.live == secret and not self.link.trouble


@pytest.fixture
def robots(changing_house: House, tmp_path: Path) -> Iterator[list[Robot]]:
    folder = tmp_path / "edge"
    identity.write(folder, Identity(ALICE, OLD, "c" * 64, [f"mqtt://127.0.0.1:{changing_house.port}"]))
    made = [Robot(changing_house, folder)]
    yield made
    for robot in made:
        robot.link.close()


def line_of(house: House, secret: str) -> None:
    """What the worker writes."""
    house.hashes[ALICE] = mosquitto.hash_secret(secret)
    house.write_files()


def test_a_robot_follows_its_line_to_the_new_secret_and_back(changing_house: House, robots: list[Robot]) -> None:
    (robot,) = robots
    other = changing_house.client(BOB).up()
    assert wait_until(lambda: robot.came_in_by(OLD))
    made = robot.keyring.make("rotation-1")
    # Whoever is connected is not by the secret of before, a moment after the line is another one; nobody else is touched.
    line_of(changing_house, made)
    assert wait_until(lambda: robot.came_in_by(made))
    assert changing_house.client(ALICE, f"{ALICE}:thief", secret=OLD).refused()
    # In time it did not prove it: the line is that of before again.
    line_of(changing_house, OLD)
    assert wait_until(lambda: robot.came_in_by(OLD))
    assert changing_house.client(ALICE, f"{ALICE}:thief", secret=made).refused()
    assert not other.gone.is_set()


def test_killed_while_the_line_changes_it_comes_in_by_what_its_disk_holds(changing_house: House, robots: list[Robot]) -> None:
    (first,) = robots
    assert wait_until(lambda: first.came_in_by(OLD))
    made = first.keyring.make("rotation-1")
    first.link.close()
    line_of(changing_house, made)
    robots.append(Robot(changing_house, first.folder))
    assert wait_until(lambda: robots[-1].came_in_by(made))
    robots[-1].link.close()
    line_of(changing_house, OLD)
    robots.append(Robot(changing_house, first.folder))
    assert wait_until(lambda: robots[-1].came_in_by(OLD))

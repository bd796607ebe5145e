"""A card that fills up, or goes read-only, below a running agent: it goes on, says so once, and is whole again when the card is."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from croody_contract.messages import Event, Reading
from croody_edge.local.socket import ask
from tests.edge_agent.doctor.test_doctor import fill
from tests.edge_agent.doubles import Broker, Cloud, wait_until
from tests.edge_agent.test_edge_cli import PROGRAM, environment


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "card"
    folder.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=False).returncode:
        pytest.skip("needs root and a kernel that lets it mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


class Ext4:
    """A real file system of a card in a file, which can be made to meet an error, as worn cards do."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._image, self.folder = image, folder
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(24 << 20)
        made = os.geteuid() == 0 and self._runs("mkfs.ext4", "-q", "-e", "remount-ro", image) and self.mount()
        self._error = Path("/sys/fs/ext4") / self._device() / "trigger_fs_error"
        if not made or not self._error.exists():
            self.close()
            pytest.skip("needs root, loop devices, and an ext4 that can be made to fail")

    def fail(self) -> None:
        """What the kernel does when the card returns nonsense: read-only from now on, whoever writes."""
        self._error.write_text("1")

    def mend(self) -> None:
        """What is on it, on another one: the kernel lets go of a failed one only when nobody holds a file of it."""
        self.close()
        fresh = self._image.with_suffix(".fresh")
        shutil.copy(self._image, fresh)
        self._runs("e2fsck", "-fp", fresh)
        self._image = fresh
        assert self.mount()

    def mount(self) -> bool:
        return self._runs("mount", "-o", "loop,errors=remount-ro", self._image, self.folder)

    def close(self) -> None:
        self._runs("umount", "-l", self.folder)

    def _device(self) -> str:
        found = subprocess.run(["findmnt", "-n", "-o", "SOURCE", self.folder], capture_output=True, text=True, check=False)
        return Path(found.stdout.strip() or "none").name

    @staticmethod
    def _runs(*command: str | Path) -> bool:
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False


@pytest.fixture
def worn(tmp_path: Path) -> Iterator[Ext4]:
    made = Ext4(tmp_path / "image", tmp_path / "worn")
    yield made
    made.close()


def faults(card: Path) -> set[str]:
    state = ask(card)
    return {fault.code for fault in state.faults} if state is not None else {"silent"}


def readings(cloud: Cloud) -> int:
    return len(cloud.ledger.of(Reading))


def test_a_card_that_fills_up_costs_readings_and_nothing_else(card: Path, tmp_path: Path, broker: Broker, cloud: Cloud) -> None:
    log = tmp_path / "log"
    env = environment(card, broker.port, CROODY_OUTBOX_LIMIT_BYTES=str(64 << 20))
    with log.open("wb") as file:
        process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=file)
    try:
        assert wait_until(lambda: readings(cloud) > 5, 30)
        # Without the cloud what is read stays, and needs room.
        cloud.up = False
        fill(card / "ballast")
        assert wait_until(lambda: "outbox_refused" in faults(card) or "outbox_failed" in faults(card), 60)
        told = json.loads(subprocess.run([PROGRAM, "doctor", "--json"], env=env, capture_output=True, check=False).stdout)
        assert {"disk", "agent"} <= {finding["check"] for finding in told["findings"] if finding["state"] == "wrong"}
        before = readings(cloud)
        (card / "ballast").unlink()
        cloud.up = True
        assert wait_until(lambda: readings(cloud) > before + 5 and not faults(card), 60)
        assert wait_until(lambda: any(event.code.startswith("outbox_") for event in cloud.ledger.of(Event)), 30), "that it was full is told"
        assert wait_until(lambda: cloud.ledger.missing() == {}, 30)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    said = log.read_text()
    assert said.count("outbox_refused:") <= 2
    assert "Traceback" not in said


def test_a_card_that_fails_and_goes_read_only_stops_nothing_for_good(worn: Ext4, tmp_path: Path, broker: Broker, cloud: Cloud) -> None:
    log = tmp_path / "log"
    env = environment(worn.folder, broker.port)
    with log.open("wb") as file:
        process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=file)
    try:
        assert wait_until(lambda: readings(cloud) > 5, 30)
        worn.fail()
        assert wait_until(lambda: bool(faults(worn.folder) - {"silent"}), 60)
        told = json.loads(subprocess.run([PROGRAM, "doctor", "--json"], env=env, capture_output=True, check=False).stdout)
        assert "the disk is read-only" in next(finding["said"] for finding in told["findings"] if finding["check"] == "disk")
        before = readings(cloud)
        worn.mend()
        assert wait_until(lambda: readings(cloud) > before + 5, 60), "the same process goes on when the card is back"
        assert cloud.ledger.missing() == {}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    said = log.read_text()
    assert "Traceback" not in said
    assert said.count("outbox_refused:") <= 2

"""The lock as those see it who look at it: the supervisor by the file's being there, the host's scripts by its flock."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from croody_contract.messages import Event, Reading
from croody_edge.settings import BUSY_WHEN
from croody_edge.update_lock import UpdateLock
from croody_edge.update_lock.busy import conditions
from croody_edge.update_lock.lock_file import LockFile, clear
from tests.edge_agent.doubles import Broker, wait_until
from tests.edge_agent.test_edge_cli import PROGRAM, ask, environment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "updates.lock"


def supervisor_may(path: Path) -> bool:
    """As the supervisor asks: it makes a lock file of its own in the same place, and takes it away again. Says whether it got it."""
    if (program := shutil.which("lockfile")) is not None:
        got = subprocess.run([program, "-r", "0", str(path)], capture_output=True, check=False).returncode == 0
    else:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o444))
            got = True
        except FileExistsError:
            got = False
    if got:
        path.unlink()
    return got


def host_may_reboot(path: Path) -> bool:
    """As the host's script asks: opens every lock file that there is for reading, and tries to lock it."""
    if not path.exists():
        return True
    return subprocess.run(["flock", "-nx", str(path), "true"], check=False).returncode == 0


def test_a_held_lock_keeps_supervisor_and_host_out_and_a_released_one_lets_them_in(path: Path) -> None:
    lock = LockFile(path)
    lock.take()
    assert (lock.held, supervisor_may(path), host_may_reboot(path)) == (True, False, False)
    lock.take()
    lock.release()
    assert (lock.held, supervisor_may(path), host_may_reboot(path)) == (False, True, True)
    assert not path.exists()


def test_a_lock_of_the_supervisors_is_neither_taken_over_nor_removed(path: Path) -> None:
    path.touch()
    lock = LockFile(path)
    with pytest.raises(FileExistsError, match="an update begins"):
        lock.take()
    lock.release()
    assert path.exists()


def test_a_lock_that_an_operator_overrode_is_taken_again_only_when_it_is_free(path: Path) -> None:
    lock = LockFile(path)
    lock.take()
    path.unlink()
    path.touch()
    with pytest.raises(FileExistsError):
        lock.take()
    assert not lock.held
    path.unlink()
    lock.take()
    assert not host_may_reboot(path)


def test_releasing_an_overridden_lock_leaves_the_one_in_its_place(path: Path) -> None:
    lock = LockFile(path)
    lock.take()
    path.unlink()
    path.touch()
    lock.release()
    assert path.exists()


def test_a_process_that_was_killed_frees_the_host_at_once_and_the_supervisor_when_it_starts_again(path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from croody_edge.update_lock.lock_file import LockFile;"
        "lock = LockFile(Path(sys.argv[1])); lock.take(); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert not clear(path), "a living agent's lock is not removed"
        assert not host_may_reboot(path)
        process.kill()
    assert host_may_reboot(path)
    assert not supervisor_may(path)
    assert clear(path)
    assert supervisor_may(path)
    assert not clear(path)


def test_a_lock_of_another_user_is_not_cleared(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a file away takes root")
    path.touch()
    os.chown(path, 65534, 65534)
    assert not clear(path)
    assert path.exists()


def test_a_link_in_its_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.touch()
    path.symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"):
        clear(path)
    with pytest.raises(FileExistsError):
        LockFile(path).take()
    assert precious.exists()


def guard(path: Path | None) -> UpdateLock:
    return UpdateLock(path, conditions(BUSY_WHEN), 30.0)


def test_readings_take_the_lock_and_give_it_back(path: Path) -> None:
    lock = guard(path)
    lock.turn(0.0)
    assert not path.exists()
    lock.saw([Event(code="started"), Reading(data={"speed_mps": 1.0})], 1.0)
    lock.turn(1.0)
    assert path.exists()
    lock.saw([Reading(data={}, status="moving")], 20.0)
    lock.saw([Reading(data={"speed_mps": 0.0}, status="idle")], 21.0)
    lock.turn(49.0)
    assert path.exists()
    lock.turn(50.0)
    assert not path.exists()


def test_a_lock_that_is_not_to_be_had_is_said_once_and_costs_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lock = guard(tmp_path / "nowhere" / "updates.lock")
    for at_s in range(10):
        lock.saw([Reading(data={"speed_mps": 1.0})], float(at_s))
        lock.turn(float(at_s))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "nowhere" in caplog.text


def test_without_a_path_nothing_happens() -> None:
    lock = guard(None)
    lock.saw([Reading(data={"speed_mps": 1.0})], 0.0)
    lock.turn(0.0)
    lock.release()


def test_the_agent_holds_it_while_its_robot_moves_and_leaves_none_behind(tmp_path: Path, path: Path, broker: Broker) -> None:
    env = environment(tmp_path / "edge", broker.port, CROODY_SOURCE="sim", CROODY_SCREEN="0", CROODY_UPDATE_LOCK=str(path))
    env |= {"CROODY_BUSY_WHEN": "battery_pct>0"}
    process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=subprocess.PIPE, text=True)
    assert wait_until(path.exists, 20)
    process.kill()
    process.communicate(timeout=15)
    assert path.exists()

    process = subprocess.Popen([PROGRAM, "run"], env=env | {"CROODY_BUSY_WHEN": "battery_pct<0"}, stderr=subprocess.PIPE, text=True)
    assert wait_until(lambda: not path.exists(), 20)
    process.send_signal(signal.SIGTERM)
    assert "was left by a run that died" in process.communicate(timeout=15)[1]

    process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=subprocess.PIPE, text=True)
    assert wait_until(path.exists, 20)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=15)
    assert not path.exists()


def test_a_setting_that_is_wrong_after_a_crash_does_not_keep_the_update_out_that_mends_it(tmp_path: Path, path: Path) -> None:
    path.touch()
    asked = ask("run", **environment(tmp_path / "edge", 9, CROODY_UPDATE_LOCK=str(path), CROODY_BUSY_WHEN="fast"))
    assert asked.returncode == 78
    assert "CROODY_BUSY_WHEN is 'fast'" in asked.stderr
    assert not path.exists()

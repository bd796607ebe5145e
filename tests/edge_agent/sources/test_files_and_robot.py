"""Files that another program writes, and a robot of the earlier Croody: the simulator's own TCP server."""

import os
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from croody_edge.sim.machine import SimMachine
from croody_edge.sim.tcp import Server
from croody_edge.sources import Context
from croody_edge.sources import files as module
from croody_edge.sources.files import Files, FilesSettings
from croody_edge.sources.files.offsets import Offsets
from croody_edge.sources.sim import SimSource, Site
from tests.edge_agent.doubles import wait_until
from tests.edge_agent.sources.counterparts import Heard, heard


def files(path: str, more: str = "") -> str:
    return f"[source.it]\nkind='files'\npath='{path}'\ninterval_s=0.02\n{more}"


def test_new_lines_and_new_files_are_read_once_across_restarts(tmp_path: Path) -> None:
    day = tmp_path / "in" / "a.jsonl"
    day.parent.mkdir()
    day.write_text('{"ts": "2026-11-30T10:00:00Z", "t": 1, "status": "moving"}\n{"t": 2}\n{"t": 3')
    with heard(tmp_path, files(f"{tmp_path}/in/*.jsonl")) as it:
        assert it.wait(lambda: len(it.readings) == 2)
        assert (it.readings[0].ts, it.readings[0].status) == (datetime(2026, 11, 30, 10, tzinfo=UTC), "moving")
        with day.open("a") as more:
            more.write('}\nno json\n{"t": 4, "bad": [1], "ts": "yesterday"}\n')
        (tmp_path / "in" / "b.jsonl").write_text('{"t": 5}\n')
        assert it.wait(lambda: [one.data.get("t") for one in it.readings] == [1, 2, 3, 4, 5])
    with day.open("a") as more:
        more.write('{"t": 6}\n')
    with heard(tmp_path, files(f"{tmp_path}/in/*.jsonl")) as it:
        assert it.wait(lambda: [one.data["t"] for one in it.readings] == [6])
        day.write_text('{"t": 7}\n')
        assert it.wait(lambda: [one.data["t"] for one in it.readings] == [6, 7]), "a file that was begun anew"
        assert not it.failing


def test_a_csv_with_a_head_and_a_row_that_is_torn(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("ts,temp_c,door\n2026-11-30T10:00:00Z,20.5,true\n1,2\n2026-11-30T10:00:01Z,nan,false\n")
    with heard(tmp_path, files(f"{tmp_path}/log.csv")) as it:
        assert it.wait(lambda: len(it.readings) == 2)
        assert [one.data for one in it.readings] == [{"temp_c": 20.5, "door": True}, {"door": False}]


def test_a_file_that_is_not_there_is_said_once_and_read_when_it_comes(tmp_path: Path) -> None:
    with heard(tmp_path, files(f"{tmp_path}/late.jsonl", "from_end=false\n")) as it:
        assert it.wait(lambda: it.failing)
        (tmp_path / "late.jsonl").write_bytes(b"x" * 300_000 + b'\n{"t": 1}\n')
        assert it.wait(lambda: it.readings)
        assert it.newest.data == {"t": 1}


def test_a_backlog_is_read_whole_and_no_faster_than_it_is_taken(tmp_path: Path) -> None:
    (tmp_path / "big.jsonl").write_text("".join(f'{{"n": {n}}}\n' for n in range(5000)))
    with heard(tmp_path, files(f"{tmp_path}/big.jsonl")) as it:
        assert it.wait(lambda: len(it.readings) == 5000)
        assert [one.data["n"] for one in it.readings] == list(range(5000))
        assert it.told == []


def test_what_a_killed_agent_had_read_and_not_put_away_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "big.jsonl").write_text("".join(f'{{"n": {n}}}\n' for n in range(300)))
    killed = Heard(tmp_path, files(f"{tmp_path}/big.jsonl"))
    killed.rack.start()
    assert wait_until(lambda: killed.rack.wait_s() == 0, 20)
    assert killed.look(), "taken, and not in the outbox yet: the agent comes for more only after that"
    time.sleep(0.2)
    with heard(tmp_path, files(f"{tmp_path}/big.jsonl")) as it:
        assert it.wait(lambda: len(it.readings) == 300)
        assert [one.data["n"] for one in it.readings] == list(range(300))
    killed.rack.close()


def test_what_waits_when_an_agent_is_ended_is_put_away_and_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "big.jsonl").write_text("".join(f'{{"n": {n}}}\n' for n in range(300)))
    ended = Heard(tmp_path, files(f"{tmp_path}/big.jsonl"))
    ended.rack.start()
    assert wait_until(lambda: ended.rack.wait_s() == 0, 20)
    ended.rack.close()
    while ended.rack.take(0.0, time.monotonic(), 50):
        pass
    ended_at = (tmp_path / "it.read.json").read_text()
    with heard(tmp_path, files(f"{tmp_path}/big.jsonl")) as it:
        it.wait(lambda: it.readings, within_s=1.0)
        assert len(it.readings) in (0, 100), ended_at


def test_from_the_end_what_is_there_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"t": 1}\n')
    with heard(tmp_path, files(str(file), "from_end = true\n")) as it:
        assert it.wait(lambda: (tmp_path / "it.read.json").exists())
        with file.open("a") as more:
            more.write('{"t": 2}\n')
        assert it.wait(lambda: [one.data["t"] for one in it.readings] == [2])


def looked(source: Files) -> list[object]:
    return [one.data.get("t") for one in source.read(0.0)]


def opened(folder: Path, path: str, **own: object) -> Files:
    return Files(FilesSettings(path=f"{folder}/{path}", **own), Context("rover-alice", folder, "it"))  # type: ignore[arg-type]


def add(file: Path, *numbers: int) -> None:
    with file.open("a") as more:
        more.writelines(f'{{"t": {number}}}\n' for number in numbers)


@pytest.mark.parametrize("second", ['{"t": 2}\n', '{"t": 2, "longer": 1}\n'])
def test_a_file_with_the_number_of_one_that_was_read_and_deleted_is_read_from_its_beginning(tmp_path: Path, second: str) -> None:
    batch = tmp_path / "a.jsonl"
    batch.write_text('{"t": 1}\n')
    with heard(tmp_path, files(str(batch))) as it:
        assert it.wait(lambda: (tmp_path / "it.read.json").exists())
    batch.write_text(second)  # In place: what has a deleted one's number looks no other.
    with heard(tmp_path, files(str(batch))) as it:
        assert it.wait(lambda: [one.data["t"] for one in it.readings] == [2], 5.0)


def test_a_csv_that_was_begun_anew_has_a_head_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a,b\n1,2\n")
    source = opened(tmp_path, "log.csv")
    assert [one.data for one in source.read(0.0)] == [{"a": 1, "b": 2}]
    (tmp_path / "log.csv").write_text("c,d\n3,4\n")
    assert [one.data for one in source.read(0.0)] == [{"c": 3, "d": 4}]


def test_what_an_earlier_agent_wrote_down_is_gone_on_from_and_it_could_read_what_this_one_writes(tmp_path: Path) -> None:
    add(tmp_path / "a.jsonl", 1, 2)
    stat = (tmp_path / "a.jsonl").stat()
    Offsets(tmp_path / "it.read.json").save({f"{stat.st_dev}:{stat.st_ino}": 9})
    source = opened(tmp_path, "a.jsonl")
    assert looked(source) == [2]
    place = source.place()
    assert place is not None
    assert place[f"{stat.st_dev}:{stat.st_ino}"] == 18
    assert all(isinstance(number, int) for number in place.values())


def test_what_is_written_to_a_file_around_its_rotation_is_read_and_then_the_new_one(tmp_path: Path) -> None:
    log, old = tmp_path / "app.jsonl", tmp_path / "app.jsonl.1"
    add(log, 1)
    source = opened(tmp_path, "app.jsonl")
    assert looked(source) == [1]
    add(log, 2)
    log.rename(old)
    add(old, 3)
    assert looked(source) == [2, 3], "while nothing has the name"
    log.touch()
    add(old, 4)
    assert looked(source) == [4], "while nothing is in the new one"
    add(old, 5)
    add(log, 6)
    assert (looked(source), looked(source), looked(source)) == ([5], [6], [])
    log.unlink()
    with pytest.raises(FileNotFoundError):
        source.read(0.0)
    assert source._held is None, "a deleted file's place on the disk is given back"
    source.close()


def test_a_file_that_was_not_there_at_the_first_start_is_no_part_of_what_from_end_passes_over(tmp_path: Path) -> None:
    file = tmp_path / "in" / "a.jsonl"
    file.parent.mkdir()
    for path in (str(file), f"{file.parent}/*.jsonl"):
        with heard(tmp_path, files(path, "from_end = true\n")) as it:
            assert it.wait(lambda: (tmp_path / "it.read.json").exists(), 5.0)
        add(file, 1)
        with heard(tmp_path, files(path, "from_end = true\n")) as it:
            assert it.wait(lambda: [one.data["t"] for one in it.readings] == [1], 5.0)
        file.unlink()
        (tmp_path / "it.read.json").unlink()
    with heard(tmp_path, files(str(file), "from_end = true\n")) as it:
        assert it.wait(lambda: it.failing)
        add(file, 1)
        assert it.wait(lambda: [one.data["t"] for one in it.readings] == [1], 5.0)


def test_how_far_it_read_is_on_the_disk_before_the_next_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    add(tmp_path / "a.jsonl", 1)
    with heard(tmp_path, files(f"{tmp_path}/a.jsonl").replace("0.02", "3600")) as it:
        assert it.wait(lambda: (tmp_path / "it.read.json").exists(), 5.0)
    assert synced


def test_what_is_held_back_for_its_rate_is_not_written_down_as_safe(tmp_path: Path) -> None:
    add(tmp_path / "a.jsonl", 1, 2, 3)
    killed = Heard(tmp_path, files(f"{tmp_path}/a.jsonl", "[source.it.report]\nat_most_per_s = 0.01\n"))
    killed.rack.start()
    assert killed.wait(lambda: killed.readings)
    killed.wait(lambda: False, 1.0)
    with heard(tmp_path, files(f"{tmp_path}/a.jsonl")) as it:
        assert it.wait(lambda: 3 in [one.data["t"] for one in it.readings], 5.0)
    killed.rack.close()


def test_a_file_that_lies_still_is_not_forgotten_for_those_that_come_and_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.offsets, "MOST_FILES", 3)
    add(tmp_path / "still.jsonl", 1)
    source = opened(tmp_path, "*.jsonl")
    assert looked(source) == [1]
    for number in range(2, 8):
        add(tmp_path / "new.jsonl", number)
        assert looked(source) == [number]
        (tmp_path / "new.jsonl").rename(tmp_path / f"gone.{number}")
    assert looked(source) == []


def test_a_file_with_a_backlog_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    add(tmp_path / "a.jsonl", *range(1000))
    add(tmp_path / "b.jsonl", 5000)
    source = opened(tmp_path, "*.jsonl")
    assert looked(source) == list(range(200))
    assert looked(source)[0] == 5000
    assert [number for _ in range(6) for number in looked(source)][-1] == 999


def test_more_files_than_are_looked_at_are_said_while_the_others_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    for name in "abc":
        add(tmp_path / f"{name}.jsonl", 1)
    with heard(tmp_path, files(f"{tmp_path}/*.jsonl")) as it:
        assert it.wait(lambda: len(it.readings) == 2 and it.failing, 5.0)
        it.wait(lambda: not it.failing, 0.5)
        assert it.failing
        assert it.told == []


def test_a_file_that_is_rotated_while_it_is_opened_is_not_taken_for_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, opens = tmp_path / "a.jsonl", os.open

    def rotated(path: str | Path, *more: int) -> int:
        file = opens(path, *more)
        if Path(path) == log and not (tmp_path / "a.old").exists():
            log.rename(tmp_path / "a.old")
            add(log, 2, 3)
        return file

    monkeypatch.setattr(os, "open", rotated)
    add(log, 1)
    source = opened(tmp_path, "*.jsonl")
    assert looked(source) == [1]
    assert [source._offsets.of(f"{stat.st_dev}:{stat.st_ino}")[0] for stat in ((tmp_path / "a.old").stat(), log.stat())] == [9, 0]
    assert looked(source) == [2, 3]


def test_a_file_that_is_rotated_before_it_is_opened_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, opens = tmp_path / "a.jsonl", os.open
    add(log, 1)
    source = opened(tmp_path, "a.jsonl")
    assert looked(source) == [1]

    def rotated(path: str | Path, *more: int) -> int:
        if Path(path) == log and not (tmp_path / "a.old").exists():
            log.rename(tmp_path / "a.old")
            log.write_text('{"t": 3}\n')
        return opens(path, *more)

    monkeypatch.setattr(os, "open", rotated)
    add(log, 2)
    assert [number for _ in range(4) for number in looked(source)] == [2, 3]
    source.close()


def test_a_file_that_cannot_be_read_costs_no_other_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opens = os.open

    def fails(path: str | Path, *more: int) -> int:
        if Path(path).name == "b.jsonl":
            raise PermissionError(13, "Permission denied")
        return opens(path, *more)

    monkeypatch.setattr(os, "open", fails)
    for name in "abc":
        add(tmp_path / f"{name}.jsonl", ord(name))
    source = opened(tmp_path, "*.jsonl")
    assert looked(source) == [ord("a"), ord("c")]
    assert source.wrong
    with pytest.raises(PermissionError):
        source.read(0.0)


def test_a_robot_of_the_earlier_croody_is_read_over_its_own_protocol(tmp_path: Path, free_port: int) -> None:
    site = Site()
    source = SimSource(site.robot("robot-clases", 1), site)
    source.read(0.0)
    server = Server(SimMachine(source, "robot-clases"), host="127.0.0.1", port=free_port, admin_password=None)
    server.start()
    toml = f"[source.it]\nkind='robot_tcp'\nhost='127.0.0.1'\nport={free_port}\n"
    with heard(tmp_path, toml) as it:
        assert it.wait(lambda: len(it.readings) >= 2)
        assert {"TEMP", "HUM"} <= set(it.newest.data)
        assert it.newest.position is not None
        assert (it.newest.environment, bool(it.newest.status)) == (source.environment, True)
        assert not {"LAT", "LON", "ROBOT", "ENV", "STATUS"} & set(it.newest.data)
        server.stop()
        assert it.wait(lambda: it.failing)


def test_a_robot_that_talks_nonsense_costs_its_lines_alone(tmp_path: Path) -> None:
    said = b"LOGIN_SUCCESS USER\nDATA x\nDATA\n\xff\xfe\n" + b"D" * 9000 + b"\nDATA 1 TEMP=1e400;HUM=5;LAT=x;LON=2;;=;\nERROR Rate limit\n"
    with socket.create_server(("127.0.0.1", 0)) as door:
        peers: list[socket.socket] = []

        def speak() -> None:
            peers.append(door.accept()[0])
            peers[0].sendall(said)

        threading.Thread(target=speak, daemon=True).start()
        with heard(tmp_path, f"[source.it]\nkind='robot_tcp'\nhost='127.0.0.1'\nport={door.getsockname()[1]}\n") as it:
            assert it.wait(lambda: it.readings)
            assert it.newest.data == {"HUM": 5}
            assert it.newest.position is None
            assert not it.failing
        peers[0].close()

"""Files that another program writes, and a robot of the earlier Croody: the simulator's own TCP server."""

import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from croody_edge.sim.machine import SimMachine
from croody_edge.sim.tcp import Server
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

"""The outbox on a real file: what it keeps through kills, full disks, damaged bytes, copies and other robots' cards."""

import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from errno import EIO, ENOSPC
from pathlib import Path

import pytest

from croody_contract import ranges
from croody_contract.messages import Born, Event, Record, Tombstone, decode_record, encode
from croody_contract.ranges import Ranges
from croody_edge.outbox.encoding import Encoded
from croody_edge.outbox.keys import key_of, place_of
from croody_edge.outbox.lock import Locked
from croody_edge.outbox.queue import Outbox
from croody_edge.outbox.startup import Program
from tests.edge_agent.doubles import reading

NOW = 1_790_000_000.0
EVERYTHING = key_of(1 << 22, 0)
Open = Callable[..., Outbox]


def encoded(number: int, *, padding: int = 0, low: bool = True) -> Encoded:
    return Encoded(encode(reading(number, **({"padding": "x" * padding} if padding else {}))), low)


def records(outbox: Outbox) -> dict[tuple[str, int], Record]:
    """Everything in the queue, by (stream, seq)."""
    found: dict[tuple[str, int], Record] = {}
    start = 0
    while (batch := outbox.read(start, EVERYTHING, 500, 1 << 24, NOW)) is not None:
        found |= {(batch.stream.id, batch.first + offset): decode_record(body) for offset, body in enumerate(batch.bodies)}
        start = batch.last_key + 1
    return found


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """A function that opens an outbox; all of them are closed at the end."""
    made: list[Outbox] = []

    def make(folder: Path = tmp_path / "edge", robot_id: str = "rover-alice", limit_bytes: int = 1 << 30) -> Outbox:
        outbox = Outbox(folder, robot_id, program=Program("test"), limit_bytes=limit_bytes)
        made.append(outbox)
        outbox.open(NOW)
        return outbox

    yield make
    for outbox in made:
        outbox.close()


def fill(outbox: Outbox, count: int, *, padding: int = 0) -> list[tuple[str, int]]:
    """Publish readings one by one. Returns their keys."""
    kept = []
    for number in range(count):
        (key,) = outbox.append([encoded(number, padding=padding)], NOW)
        assert outbox.current is not None
        kept.append((outbox.current.id, place_of(key)[1]))
    return kept


def test_a_stream_begins_with_its_birth_and_counts_without_holes(opened: Open) -> None:
    outbox = opened()
    kept = fill(outbox, 5)
    found = records(outbox)
    assert [seq for _, seq in found] == [1, 2, 3, 4, 5, 6]
    assert isinstance(next(iter(found.values())), Born)
    assert list(found)[1:] == kept
    assert outbox.pending() == 6


def test_every_start_is_a_new_stream_that_names_the_one_before(opened: Open) -> None:
    ids, lasts = [], []
    for count in (3, 0, 2):
        outbox = opened()
        fill(outbox, count)
        assert outbox.current is not None
        ids.append(outbox.current.id)
        lasts.append(outbox.current.last)
        outbox.close()
    births = [record for record in records(opened()).values() if isinstance(record, Born)]
    assert len(set(ids)) == 3
    assert [(born.prev, born.prev_last) for born in births] == [(None, None), *zip(ids, lasts, strict=True)]


def test_the_last_seq_is_known_even_when_every_row_has_gone(opened: Open) -> None:
    outbox = opened()
    fill(outbox, 4)
    outbox.remove(((0, EVERYTHING),), NOW)
    assert outbox.pending() == 0
    outbox.close()
    again = opened()
    (born,) = records(again).values()
    assert isinstance(born, Born)
    assert born.prev_last == 5
    assert again.pending() == 1


def test_streams_with_nothing_left_are_forgotten_but_the_newest_two(opened: Open) -> None:
    for _ in range(6):
        outbox = opened()
        outbox.remove(((0, EVERYTHING),), NOW)
        outbox.close()
    outbox = opened()
    with sqlite3.connect(outbox._folder / "outbox.db") as db:
        assert db.execute("SELECT count(*) FROM stream").fetchone()[0] == 2
    db.close()


def test_exactly_the_named_rows_are_deleted(opened: Open) -> None:
    outbox = opened()
    fill(outbox, 9)
    base = key_of(1, 0)
    assert outbox.remove(((base + 2, base + 3), (base + 7, base + 7), (base + 50, base + 90)), NOW) == 3
    assert [seq for _, seq in records(outbox)] == [1, 4, 5, 6, 8, 9, 10]
    assert outbox.pending() == 7


def test_a_batch_ends_at_a_hole_at_the_size_and_at_the_stream(opened: Open) -> None:
    first = opened()
    fill(first, 9)
    first.remove(((key_of(1, 4), key_of(1, 4)),), NOW)
    first.close()
    outbox = opened()
    fill(outbox, 2)
    spans = []
    start = 0
    while (batch := outbox.read(start, EVERYTHING, 5, 350, NOW)) is not None:
        spans.append((batch.stream.n, batch.first, batch.last))
        start = batch.last_key + 1
    assert spans[0][:2] == (1, 1)
    assert all(last - first + 1 <= 5 for _, first, last in spans)
    assert (1, 4) not in [(n, seq) for n, first, last in spans for seq in range(first, last + 1)]
    assert [(n, seq) for n, first, last in spans for seq in range(first, last + 1)] == [
        *((1, seq) for seq in (1, 2, 3, 5, 6, 7, 8, 9, 10)),
        *((2, seq) for seq in (1, 2, 3)),
    ]
    big = outbox.append([encoded(1, padding=1000)], NOW)[0]
    assert outbox.read(big, EVERYTHING, 5, 10, NOW), "a record larger than the size goes alone"


def test_a_second_agent_on_the_same_outbox_is_told_so(opened: Open) -> None:
    outbox = opened()
    with pytest.raises(Locked, match=f"in use by another agent .process {os.getpid()}.*CROODY_EDGE_DIR"):
        opened()
    outbox.close()
    opened()


def test_a_copied_card_never_uses_a_key_twice(opened: Open, tmp_path: Path) -> None:
    outbox = opened()
    fill(outbox, 5)
    shutil.copytree(tmp_path / "edge", tmp_path / "copy", ignore=shutil.ignore_patterns("*.lock"))
    shared = set(records(outbox))
    fill(outbox, 5)
    copy = opened(tmp_path / "copy")
    fill(copy, 5)
    assert set(records(outbox)) & set(records(copy)) == shared


def test_a_card_of_another_robot_is_set_aside(opened: Open, tmp_path: Path) -> None:
    outbox = opened(robot_id="rover-bob")
    fill(outbox, 5)
    outbox.close()
    outbox = opened(robot_id="rover-alice")
    found = list(records(outbox).values())
    assert isinstance(found[0], Born)
    assert found[0].prev is None
    assert isinstance(found[1], Event)
    assert (found[1].code, found[1].detail["owner"]) == ("outbox_foreign", "rover-bob")
    assert len(found) == 2
    (aside,) = (tmp_path / "edge").glob("outbox.db.robot-*")
    with sqlite3.connect(aside) as db:
        assert db.execute("SELECT count(*) FROM record").fetchone()[0] == 6
    db.close()


KILLED = """
import sys
from pathlib import Path
from croody_edge.outbox.queue import Outbox
from croody_edge.outbox.startup import Program
from croody_edge.outbox.encoding import Encoded
outbox = Outbox(Path(sys.argv[1]), "rover-alice", program=Program("test"), limit_bytes=1 << 30)
outbox.open(1790000000.0)
number = 0
while True:
    number += 1
    outbox.append([Encoded(b'{"kind":"reading","data":{"n":%d}}' % number, True)] * (1 + number % 3), 1790000000.0)
    sys.stdout.write(f"{outbox.current.id} {outbox.current.last}\\n")
    sys.stdout.flush()
"""


def test_what_was_published_before_a_kill_is_there_after_it(opened: Open, tmp_path: Path) -> None:
    returned: dict[str, int] = {}
    for round_ in range(5):
        process = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path / "edge"], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        lines = list(itertools.islice(process.stdout, 30 + 41 * round_))
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        whole = [line for line in lines if line.endswith("\n")]
        stream, last = whole[-1].split()
        returned[stream] = int(last)
    outbox = opened()
    found = records(outbox)
    assert len(returned) == 5
    for stream, last in returned.items():
        assert all((stream, seq) in found for seq in range(1, last + 1))
    assert not [record for record in found.values() if isinstance(record, Event | Tombstone)], "a kill is no damage"


def test_rows_that_a_truncated_wal_took_with_it_are_declared_lost(opened: Open, tmp_path: Path) -> None:
    outbox = opened()
    kept = fill(outbox, 50)
    crashed = tmp_path / "crashed"
    shutil.copytree(tmp_path / "edge", crashed, ignore=shutil.ignore_patterns("*.lock", "*-shm"))
    wal = crashed / "outbox.db-wal"
    os.truncate(wal, wal.stat().st_size - 20_000)
    found = records(opened(crashed))
    (event,) = (record for record in found.values() if isinstance(record, Event))
    (stone,) = (record for record in found.values() if isinstance(record, Tombstone))
    assert (event.code, event.severity) == ("outbox_corrupt", "high")
    lost = {(stone.stream, seq) for seq in ranges.members(ranges.normalise(stone.ranges))}
    assert lost
    assert set(kept) <= set(found) | lost
    assert not set(found) & lost
    born = list(found.values())[-3]
    assert isinstance(born, Born)
    assert born.prev_last == 51


def test_it_is_said_only_once_that_rows_have_vanished(opened: Open, tmp_path: Path) -> None:
    test_rows_that_a_truncated_wal_took_with_it_are_declared_lost(opened, tmp_path)
    again = tmp_path / "again"
    shutil.copytree(tmp_path / "crashed", again, ignore=shutil.ignore_patterns("*.lock", "*-shm"))
    assert sum(isinstance(record, Event) for record in records(opened(again)).values()) == 1


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0x10]))


def damaged(opened: Open, folder: Path, count: int = 400) -> list[tuple[str, int]]:
    """An outbox that was closed well, its rows in the main file."""
    outbox = opened(folder)
    kept = fill(outbox, count)
    outbox.close()
    return kept


def check_accounted(kept: list[tuple[str, int]], found: dict[tuple[str, int], Record]) -> tuple[int, int]:
    """Every key is there or declared lost. Returns how many are lost, and how many events say so."""
    lost: dict[str, Ranges] = {}
    for record in found.values():
        if isinstance(record, Tombstone):
            lost[record.stream] = ranges.union(lost.get(record.stream, ranges.EMPTY), ranges.normalise(record.ranges))
    gone = [key for key in kept if key not in found]
    for stream, seq in gone:
        assert ranges.contains(lost.get(stream, ranges.EMPTY), seq), f"{stream} {seq} is neither there nor declared lost"
    events = [record for record in found.values() if isinstance(record, Event) and record.code == "outbox_corrupt"]
    assert all(event.severity == "high" for event in events)
    return len(gone), len(events)


def test_a_flipped_bit_in_a_record_costs_that_record_only(opened: Open, tmp_path: Path) -> None:
    kept = damaged(opened, tmp_path / "edge")
    path = tmp_path / "edge" / "outbox.db"
    place = path.read_bytes().find(b'"n":200')
    flip(path, place + 5)
    found = records(opened())
    assert check_accounted(kept, found) == (1, 1)
    (aside,) = (file for file in (tmp_path / "edge").glob("outbox.db.corrupt-*") if not file.name.endswith(("-wal", "-shm")))
    assert aside.stat().st_size > 0


@pytest.mark.parametrize("seed", range(12))
def test_any_flipped_bit_leaves_every_key_there_or_declared_lost(opened: Open, tmp_path: Path, seed: int) -> None:
    kept = damaged(opened, tmp_path / "edge")
    path = tmp_path / "edge" / "outbox.db"
    size = path.stat().st_size
    flip(path, seed * size // 12 + 7 * seed % 100)
    outbox = opened()
    found = records(outbox)
    lost, events = check_accounted(kept, found)
    for key, record in found.items():
        if key in kept:
            assert record == reading(kept.index(key)), "a record that was changed got through"
    outbox.verify(NOW)
    assert events or lost == 0


@pytest.mark.parametrize("damage", ["zeroed", "text", "half", "header", "gone", "empty"])
def test_a_file_that_cannot_be_opened_is_set_aside_and_all_of_it_declared(opened: Open, tmp_path: Path, damage: str) -> None:
    kept = damaged(opened, tmp_path / "edge")
    path = tmp_path / "edge" / "outbox.db"
    data = path.read_bytes()
    match damage:
        case "zeroed":
            path.write_bytes(bytes(len(data)))
        case "text":
            path.write_text("this is no database " * 1000, encoding="ascii")
        case "half":
            path.write_bytes(data[: len(data) // 2])
        case "header":
            path.write_bytes(b"\0" * 100 + data[100:])
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
    outbox = opened()
    found = records(outbox)
    lost, events = check_accounted(kept, found)
    assert events == 1
    assert lost > 0 or damage == "header"
    fill(outbox, 3)
    assert outbox.current is not None
    births = [record for record in found.values() if isinstance(record, Born)]
    assert births[-1].prev == kept[0][0]
    assert births[-1].prev_last == 401
    outbox.close()
    assert check_accounted(kept, records(opened())) == (lost, 1), "the next start is a normal one"


def test_damage_found_while_running_begins_a_new_stream_and_loses_no_publish(opened: Open, tmp_path: Path) -> None:
    damaged(opened, tmp_path / "edge", 3000)
    outbox = opened()
    before = outbox.current
    fill(outbox, 3)
    path = tmp_path / "edge" / "outbox.db"
    for page in range(20, 30):
        with path.open("r+b") as file:
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    found = records(outbox)
    assert before is not None
    assert outbox.current is not None
    assert outbox.current.id != before.id
    keys = [(before.id, seq) for seq in range(1, 5)]
    assert set(keys) <= set(found)
    assert any(isinstance(record, Event) and record.code == "outbox_corrupt" for record in found.values())


def test_rows_that_vanish_from_a_running_file_are_noticed_when_all_seems_done(opened: Open, tmp_path: Path) -> None:
    outbox = opened()
    kept = fill(outbox, 10)
    with sqlite3.connect(tmp_path / "edge" / "outbox.db") as db:
        db.execute("DELETE FROM record")
    db.close()
    outbox.verify(NOW)
    lost, events = check_accounted(kept, records(outbox))
    assert (lost, events) == (10, 1)


def test_a_crash_between_the_two_files_of_a_rescue_is_made_good(opened: Open, tmp_path: Path) -> None:
    kept = damaged(opened, tmp_path / "edge")
    folder = tmp_path / "edge"
    flip(folder / "outbox.db", (folder / "outbox.db").read_bytes().find(b'"n":200') + 5)
    outbox = opened()
    outbox.read(0, EVERYTHING, 500, 1 << 20, NOW)
    outbox.close()
    (aside,) = (file for file in folder.glob("outbox.db.corrupt-*") if not file.name.endswith(("-wal", "-shm")))
    # As if the crash had come when the new file was whole and the old one not yet moved away.
    with sqlite3.connect(folder / "outbox.db") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    (folder / "outbox.db").replace(folder / "outbox.db.new")
    aside.replace(folder / "outbox.db")
    found = records(opened())
    lost, _ = check_accounted(kept, found)
    assert lost == 1
    # And as if it had come before that: the unfinished file is thrown away.
    (folder / "outbox.db.new").write_bytes(b"half of something")
    outbox.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False).returncode == 0
    if not mounted:
        pytest.skip("needs root and a kernel that lets it mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_makes_publish_raise_and_it_goes_on_when_there_is_room(opened: Open, small_disk: Path) -> None:
    outbox = opened(small_disk / "edge")
    ballast = small_disk / "ballast"
    kept = fill(outbox, 10)
    refused = 0
    codes: set[int | None] = set()
    ballast.write_bytes(bytes(1_000_000))
    for number in range(2000):
        try:
            (key,) = outbox.append([encoded(number, padding=900)], NOW)
        except OSError as error:
            codes.add(error.errno)
            refused += 1
            if refused == 20:
                break
        else:
            assert outbox.current is not None
            kept.append((outbox.current.id, place_of(key)[1]))
    assert refused == 20
    assert codes <= {ENOSPC, EIO}
    ballast.unlink()
    assert_soon(lambda: kept.extend(fill(outbox, 50)))
    found = records(outbox)
    assert set(kept) <= set(found)
    with sqlite3.connect(small_disk / "edge" / "outbox.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    outbox.close()


def test_an_outbox_that_cannot_be_opened_on_a_full_disk_opens_by_itself_later(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(bytes(3_000_000))
    outbox = Outbox(small_disk, "rover-alice", program=Program("test"), limit_bytes=1 << 20)
    with pytest.raises(OSError, match="outbox"):
        outbox.open(NOW)
    with pytest.raises(OSError, match="outbox"):
        outbox.append([encoded(1)], NOW)
    ballast.unlink()
    assert_soon(lambda: outbox.append([encoded(1)], NOW))
    assert outbox.pending() == 2
    outbox.close()


def assert_soon(attempt: Callable[[], object], within_s: float = 30.0) -> None:
    """It works within some seconds, although it raises OSError at first."""
    end = time.monotonic() + within_s
    while True:
        try:
            attempt()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


LIMITED = """
import resource, signal, sys, time
from pathlib import Path
from croody_edge.outbox.queue import Outbox
from croody_edge.outbox.startup import Program
from croody_edge.outbox.encoding import Encoded
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
outbox = Outbox(Path(sys.argv[1]), "rover-alice", program=Program("test"), limit_bytes=1 << 30)
outbox.open(1790000000.0)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
kept, refused = [], 0
body = b'{"kind":"reading","data":{"t":"' + b"x" * 900 + b'"}}'
def publish():
    outbox.append([Encoded(body, True)], 1790000000.0)
    print(outbox.current.id, outbox.current.last)
while refused < 5:
    try:
        publish()
    except OSError:
        refused += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
time.sleep(0.6)
for _ in range(20):
    publish()
"""


def test_a_write_error_makes_publish_raise_and_it_goes_on_afterwards(opened: Open, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, tmp_path / "edge"], capture_output=True, text=True, check=True, timeout=60)
    kept = [(line.split()[0], int(line.split()[1])) for line in done.stdout.splitlines()]
    assert len(kept) > 100
    found = records(opened())
    assert set(kept) <= set(found)
    assert not [record for record in found.values() if isinstance(record, Tombstone)]


def test_a_queue_of_a_million_is_ready_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    outbox = Outbox(folder, "rover-alice", program=Program("test"), limit_bytes=1 << 40)
    outbox.open(NOW)
    body = encode(reading(1, TEMP=23.5, HUM=60.2, PRES=1013.2, WIND=1.1, speed_mps=0.8, battery_pct=77.1))
    for _ in range(100):
        outbox.append([Encoded(body, True)] * 10_000, NOW)
    outbox.close()
    check = (
        "import re, sys, time; from pathlib import Path; from croody_edge.outbox.queue import Outbox;"
        "from croody_edge.outbox.startup import Program;"
        "began = time.process_time();"
        "outbox = Outbox(Path(sys.argv[1]), 'rover-alice', program=Program('test'), limit_bytes=1 << 40); outbox.open(time.time());"
        "batch = outbox.read(0, 1 << 62, 500, 250_000, time.time());"
        # Not getrusage: that remembers the memory of whoever started this process.
        "rss_kib = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1];"
        "print(time.process_time() - began, rss_kib, outbox.pending(), len(batch.bodies))"
    )
    done = subprocess.run([sys.executable, "-c", check, folder], capture_output=True, text=True, check=True)
    took_s, rss_kib, pending, size = (float(word) for word in done.stdout.split())
    assert (pending, size) == (1_000_002, 500)
    assert took_s < 2.0
    assert rss_kib < 100 * 1024


def test_the_folder_of_an_outbox_is_closed_to_other_users_of_the_board(tmp_path: Path, opened: Open) -> None:
    opened(tmp_path / "board")
    assert (tmp_path / "board").stat().st_mode & 0o077 == 0

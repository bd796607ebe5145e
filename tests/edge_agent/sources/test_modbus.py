"""Modbus, against pymodbus' own server: by TCP, and on a serial line that is a pseudo-terminal."""

import os
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from croody_edge.settings import Settings
from croody_edge.sources import NoValue
from croody_edge.sources.config import of_table
from croody_edge.sources.modbus.decode import MOST_REGISTERS, blocks, values
from croody_edge.sources.modbus.settings import Register
from croody_edge.variables import BadSetting
from tests.edge_agent.sources.counterparts import ModbusDevice, Pty, heard

REGISTERS = """
[[source.press.registers]]
name = "oil_temp_c"
address = 0
scale = 0.1
unit = "°C"
[[source.press.registers]]
name = "outside_c"
address = 1
type = "int16"
[[source.press.registers]]
name = "pressure_bar"
address = 2
type = "float32"
[[source.press.registers]]
name = "count"
address = 4
type = "int32"
[[source.press.registers]]
name = "serial"
address = 6
type = "text"
length = 4
[[source.press.registers]]
name = "door_open"
address = 10
bit = 2
"""
WANTED = {
    "oil_temp_c": pytest.approx(65.3),
    "outside_c": -40,
    "pressure_bar": 1.5,
    "count": -123456,
    "serial": "PRESS-7",
    "door_open": True,
}


def by_tcp(port: int) -> str:
    return f"[source.press]\nkind = 'modbus'\nhost = '127.0.0.1'\nport = {port}\ninterval_s = 0.05\ntimeout_s = 0.3\n"


def test_registers_are_read_by_tcp_with_their_types_scale_and_bits(tmp_path: Path, free_port: int) -> None:
    device = ModbusDevice(port=free_port)
    with heard(tmp_path, by_tcp(free_port) + REGISTERS) as it:
        assert it.wait(lambda: it.readings)
        assert it.newest.data == WANTED
        assert {info.name: info.unit for info in it.infos}["oil_temp_c"] == "°C"
        assert {info.name: info.type for info in it.infos}["door_open"] == "switch"
    device.stop()


def test_a_register_that_the_device_does_not_have_and_one_that_is_no_number_cost_no_other(tmp_path: Path, free_port: int) -> None:
    device = ModbusDevice(port=free_port)
    more = "[[source.press.registers]]\nname = 'ghost'\naddress = 13\n[[source.press.registers]]\nname='nan'\naddress=11\ntype='float32'\n"
    with heard(tmp_path, by_tcp(free_port) + REGISTERS + more) as it:
        assert it.wait(lambda: len(it.readings) > 3)
        assert it.newest.data == WANTED
        assert {one.detail["metric"]: one.detail["why"] for one in it.records if one not in it.readings} == {
            "ghost": "no_value",
            "nan": "no_number",
        }
        assert not it.failing
    device.stop()


def test_a_device_that_goes_away_is_said_once_and_read_again_when_it_is_back(tmp_path: Path, free_port: int) -> None:
    device = ModbusDevice(port=free_port)
    with heard(tmp_path, by_tcp(free_port) + REGISTERS) as it:
        assert it.wait(lambda: it.readings)
        device.stop()
        assert it.wait(lambda: it.failing)
        before = len(it.readings)
        device.start()
        assert it.wait(lambda: len(it.readings) > before and it.told)
        assert [event.code for event in it.told] == ["source_failed"]
    device.stop()


@pytest.mark.parametrize("says", [b"", b"\x00\x01\x00\x00\x00\xff" + b"\xff" * 300, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_peer_that_hangs_or_talks_nonsense_is_a_device_that_does_not_answer(tmp_path: Path, says: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        peers: list[socket.socket] = []

        def answer() -> None:
            while True:
                try:
                    peer, _ = door.accept()
                except OSError:
                    return
                peers.append(peer)
                peer.recv(100)
                peer.sendall(says)

        threading.Thread(target=answer, daemon=True).start()
        with heard(tmp_path, by_tcp(port) + REGISTERS) as it:
            assert it.wait(lambda: it.failing)
            assert it.readings == []
    for peer in peers:
        peer.close()


def test_registers_are_read_on_a_serial_line_that_comes_back_under_another_name(tmp_path: Path) -> None:
    left, right = Pty(tmp_path / "ttyUSB0"), Pty(tmp_path / "device")
    ended = threading.Event()
    threading.Thread(target=wire, args=(left.master, right.master, ended.is_set), daemon=True).start()
    device = ModbusDevice(line=str(right.path))
    toml = f"[source.press]\nkind = 'modbus'\ndevice = '{tmp_path}/ttyUSB*'\ninterval_s = 0.1\ntimeout_s = 0.5\n"
    with heard(tmp_path, toml + REGISTERS) as it:
        assert it.wait(lambda: it.readings)
        assert it.newest.data == WANTED
        left.path.rename(tmp_path / "ttyUSB7")
        left.path = tmp_path / "ttyUSB7"
        device.stop()
        assert it.wait(lambda: it.failing)
        before = len(it.readings)
        device.start()
        assert it.wait(lambda: len(it.readings) > before)
    device.stop()
    ended.set()
    left.unplug()
    right.unplug()


def wire(one: int, other: int, ended: Callable[[], bool]) -> None:
    """A cable between two pseudo-terminals."""
    while not ended():
        ready, _, _ = select.select([one, other], [], [], 0.1)
        for end in ready:
            try:
                os.write(other if end == one else one, os.read(end, 4096))
            except OSError:
                return


def test_neighbours_are_asked_for_together_and_never_more_than_a_request_may_bring() -> None:
    some = [Register(f"r{n}", n) for n in range(300)]
    assert [(block.address, block.size) for block in blocks(some, 0)] == [(0, 125), (125, 125), (250, 50)]
    assert all(block.size <= MOST_REGISTERS for block in blocks(some, 100))
    apart = [Register("a", 0), Register("b", 5), Register("c", 5, table="input")]
    assert len(blocks(apart, 0)) == 3
    assert len(blocks(apart, 4)) == 2


@pytest.mark.parametrize(
    ("more", "got", "value"),
    [
        ({"type": "int32", "words": "little"}, [0x1DC0, 0xFFFE], -123456),
        ({"type": "uint16", "bytes": "little"}, [0x8D02], 0x028D),
        ({"type": "float64"}, [0x3FF8, 0, 0, 0], 1.5),
        ({"type": "uint64", "words": "little"}, [1, 0, 0, 0], 1),
        ({"table": "coil"}, [True], True),
        ({"type": "text", "length": 2, "bytes": "little"}, [0x4241, 0x0043], "ABC"),
        ({"type": "bool"}, [2], False),
    ],
)
def test_orders_of_bytes_and_words(more: dict[str, object], got: list[int], value: object) -> None:
    (block,) = blocks([Register("x", 7, **more)], 0)  # type: ignore[arg-type]
    assert values(block, got) == {"x": value}


def test_too_few_registers_are_no_value() -> None:
    (block,) = blocks([Register("x", 7, type="int32")], 0)
    assert isinstance(values(block, [1])["x"], NoValue)
    assert isinstance(values(block, [])["x"], NoValue)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "registers is missing"),
        ({"registers": []}, "registers is []"),
        ({"registers": [{"name": "a", "address": 1}]}, "give host (TCP) or device"),
        ({"registers": [{"name": "a", "address": 70000}], "host": "x"}, "70000"),
        ({"registers": [{"name": "a", "address": 1}] * 2, "host": "x"}, "two registers are called a"),
        ({"registers": [{"name": "a", "address": 1, "speed": 1}], "host": "x"}, "speed"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, table: dict[str, object], said: str) -> None:
    with pytest.raises(BadSetting) as error:
        of_table(Settings("rover-alice", tmp_path), tmp_path / "sources.toml", "press", {"kind": "modbus", **table})
    assert said in str(error.value)

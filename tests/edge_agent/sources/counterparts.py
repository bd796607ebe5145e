"""What stands at the other end of a source in these tests: real servers, real pseudo-terminals. And a rack of one source, from TOML."""

import asyncio
import contextlib
import os
import threading
import time
import tomllib
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from croody_contract.messages import Event, Reading
from croody_edge.faults import Faults
from croody_edge.settings import Settings
from croody_edge.sources.config import of_table
from croody_edge.sources.rack import Rack
from tests.edge_agent.doubles import wait_until

NOW = 1_790_000_000.0


class Heard:
    """A source as an agent runs it, and all that came of it."""

    def __init__(self, folder: Path, toml: str, name: str = "it") -> None:
        (table,) = tomllib.loads(toml)["source"].values()
        configured = of_table(Settings("rover-alice", folder), folder / "sources.toml", name, table)
        self.told: list[Event] = []
        self.records: list[Any] = []
        self.infos = configured.infos
        self.rack = Rack([configured], Faults("rover-alice", self.told.append, time.time), time.time, time.monotonic, lambda: None)

    def look(self) -> list[Any]:
        """Take what has come."""
        now = time.monotonic()
        for source, said in self.rack.take(time.time(), now, 10_000):
            self.records.append(self.rack.whole(said, source, now) if isinstance(said, Reading) else said)
        return self.records

    def wait(self, true: Callable[[], object], within_s: float = 20.0) -> bool:
        return wait_until(lambda: (self.look(), true())[1], within_s)

    @property
    def readings(self) -> list[Reading]:
        return [record for record in self.records if isinstance(record, Reading)]

    @property
    def newest(self) -> Reading:
        return self.readings[-1] if self.readings else Reading({})

    @property
    def failing(self) -> bool:
        return any(code == "source_failed" for code, _ in self.rack._faults._now)


@contextlib.contextmanager
def heard(folder: Path, toml: str) -> Iterator[Heard]:
    made = Heard(folder, toml)
    made.rack.start()
    try:
        yield made
    finally:
        made.rack.close()


class Pty:
    """A serial line: what is written to `master` comes out at `path`, which may be any name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.master, self._slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(self._slave)
        path.symlink_to(os.ttyname(self._slave))

    def say(self, body: bytes) -> None:
        os.write(self.master, body)

    def unplug(self) -> None:
        self.path.unlink(missing_ok=True)
        for end in (self.master, self._slave):
            with contextlib.suppress(OSError):
                os.close(end)


REGISTERS = [
    SimData(address=0, values=653, datatype=DataType.REGISTERS),
    SimData(address=1, values=-40, datatype=DataType.INT16),
    SimData(address=2, values=1.5, datatype=DataType.FLOAT32),
    SimData(address=4, values=-123456, datatype=DataType.INT32),
    SimData(address=6, values="PRESS-7", datatype=DataType.STRING),
    SimData(address=10, values=[0b101], datatype=DataType.REGISTERS),
    SimData(address=11, values=[0x7FC0, 0x0000], datatype=DataType.REGISTERS),
]


class ModbusDevice:
    """pymodbus' own server in a thread, by TCP or on a serial line; it can go away and come back."""

    def __init__(self, *, port: int = 0, line: str = "") -> None:
        self._port, self._line = port, line
        self.start()

    def start(self) -> None:
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._up.wait(10)

    async def _serve(self) -> None:
        device = SimDevice(id=1, simdata=list(REGISTERS))
        self._loop = asyncio.get_running_loop()
        if self._line:
            self._server: Any = ModbusSerialServer(device, port=self._line, baudrate=19200)
        else:
            self._server = ModbusTcpServer(device, address=("127.0.0.1", self._port))
        await self._server.serve_forever(background=True)
        self._up.set()
        with contextlib.suppress(asyncio.CancelledError):
            await self._server.serving

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(10)
        self._thread.join(10)

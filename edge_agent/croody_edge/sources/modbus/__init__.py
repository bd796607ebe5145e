"""A device that speaks Modbus, by TCP or on a serial line (RTU). Its registers are data; pymodbus speaks the protocol.

What the device refuses is asked for one by one, so that a register that it does not have costs no other.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU

from croody_contract.messages import MetricInfo, Reading
from croody_edge.sources import Context, NoValue
from croody_edge.sources.modbus.decode import Block, blocks, singly, values
from croody_edge.sources.modbus.settings import ModbusSettings
from croody_edge.sources.serial.port import found
from croody_edge.texts import text

# What it has to say about a line that is down we say ourselves, once.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

#: The device's answer when it has nothing at that address, or not that function.
_NOT_THERE: Final = (1, 2, 3)


class Modbus:
    """A `PullSource`."""

    Settings = ModbusSettings

    def __init__(self, own: ModbusSettings, context: Context) -> None:
        self.interval_s, self._own = own.interval_s, own
        self._blocks = blocks(own.registers, own.gap)
        self._client: ModbusTcpClient | ModbusSerialClient | None = None

    @staticmethod
    def describe(own: ModbusSettings) -> list[MetricInfo]:
        """What is known of its metrics."""
        return [MetricInfo(one.name, unit=one.unit, type=_type(one.type, one.bit, one.table)) for one in own.registers]

    def read(self, now: float) -> Reading | None:
        """Everything, in as few requests as may be.

        Raises:
            OSError: the device does not answer.
        """
        data: dict[str, Any] = {}
        asked: list[Block] = []
        for block in self._blocks:
            got = self._ask(block)
            if got is None and len(block.registers) > 1:
                asked += singly(block)
                for single in singly(block):
                    data |= self._said(single, self._ask(single))
            else:
                asked.append(block)
                data |= self._said(block, got)
        self._blocks = asked
        return Reading(data=data) if data else None

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    @staticmethod
    def _said(block: Block, got: Sequence[int | bool] | None) -> dict[str, Any]:
        return {block.registers[0].name: NoValue(block.address)} if got is None else values(block, got)

    def _ask(self, block: Block) -> Sequence[int | bool] | None:
        """Registers or coils; None when the device has none there."""
        client = self._connected()
        ask: Callable[..., ModbusPDU] = {
            "holding": client.read_holding_registers,
            "input": client.read_input_registers,
            "coil": client.read_coils,
            "discrete": client.read_discrete_inputs,
        }[block.table]
        try:
            answer = ask(block.address, count=block.size, device_id=self._own.unit)
        except (ModbusException, OSError) as error:
            self.close()
            raise OSError(text("modbus.silent", where=self._where(), error=error)) from error
        if answer.isError():
            if getattr(answer, "exception_code", 0) in _NOT_THERE:
                return None
            raise OSError(text("modbus.refused", where=self._where(), address=block.address, code=getattr(answer, "exception_code", "?")))
        return answer.bits[: block.size] if block.table in ("coil", "discrete") else answer.registers

    def _connected(self) -> ModbusTcpClient | ModbusSerialClient:
        if self._client is None:
            self._client = self._made()
        if not self._client.connect():
            self.close()
            raise OSError(text("modbus.unreachable", where=self._where()))
        return self._client

    def _made(self) -> ModbusTcpClient | ModbusSerialClient:
        own = self._own
        if own.host:
            framer = FramerType.SOCKET if own.framing == "tcp" else FramerType.RTU
            return ModbusTcpClient(own.host, port=own.port, framer=framer, timeout=own.timeout_s, retries=1)
        line = {"baudrate": own.baudrate, "parity": own.parity, "stopbits": own.stopbits}
        return ModbusSerialClient(found(own.device), timeout=own.timeout_s, retries=1, **line)  # type: ignore[arg-type]

    def _where(self) -> str:
        return f"{self._own.host}:{self._own.port}" if self._own.host else self._own.device


def _type(kind: str, bit: int | None, table: str) -> Any:
    if kind == "bool" or bit is not None or table in ("coil", "discrete"):
        return "switch"
    return "text" if kind == "text" else "number"

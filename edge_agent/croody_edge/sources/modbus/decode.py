"""Registers -> values, and which registers to ask for together. Pure."""

import struct
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from croody_contract.messages import Value
from croody_edge.sources import NoValue
from croody_edge.sources.modbus.settings import Register

#: Most registers, and most coils, in one request: the protocol's own limits.
MOST_REGISTERS: Final = 125
MOST_COILS: Final = 2000
_FORMATS: Final = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}


class Block(NamedTuple):
    """What is asked for in one request."""

    table: str
    address: int
    size: int
    registers: tuple[Register, ...]


def blocks(registers: Iterable[Register], gap: int) -> list[Block]:
    """Requests that bring all registers; neighbours at most `gap` apart are asked for together."""
    found: list[Block] = []
    for register in sorted(registers, key=lambda one: (one.table, one.address)):
        end = register.address + register.width
        if found:
            last = found[-1]
            count = max(last.size, end - last.address)
            most = MOST_COILS if register.table in ("coil", "discrete") else MOST_REGISTERS
            if last.table == register.table and register.address <= last.address + last.size + gap and count <= most:
                found[-1] = Block(last.table, last.address, count, (*last.registers, register))
                continue
        found.append(Block(register.table, register.address, register.width, (register,)))
    return found


def singly(block: Block) -> list[Block]:
    """A request for each register: one that the device does not have must not cost the others."""
    return [Block(block.table, register.address, register.width, (register,)) for register in block.registers]


def values(block: Block, got: Sequence[int | bool]) -> dict[str, Value | NoValue]:
    """What the device said, by names.

    Args:
        block: what was asked for.
        got: registers, or coils; a device may send too few.
    """
    return {register.name: _value(register, got[register.address - block.address :][: register.width]) for register in block.registers}


def _value(register: Register, got: Sequence[int | bool]) -> Value | NoValue:
    if len(got) < register.width or any(not 0 <= int(word) <= 0xFFFF for word in got):
        return NoValue(list(got))
    if register.table in ("coil", "discrete"):
        return bool(got[0])
    words = [_swapped(int(word)) if register.bytes == "little" else int(word) for word in got]
    if register.type == "text":
        body = b"".join(word.to_bytes(2, "big") for word in words)
        return body.split(b"\x00")[0].decode("utf-8", "replace").strip()
    if register.type == "bool" or register.bit is not None:
        return bool(words[0] >> (register.bit or 0) & 1)
    if register.words == "little":
        words.reverse()
    (number,) = struct.unpack(_FORMATS[register.type], b"".join(word.to_bytes(2, "big") for word in words))
    plain: int | float = number
    return plain * register.scale + register.offset if register.scale != 1.0 or register.offset else plain


def _swapped(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8

"""What `modbus` may be told."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from croody_contract.messages import Name
from croody_edge.sources import SourceSettings
from croody_edge.texts import text

Type = Literal["bool", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "text"]
#: Type -> registers of 16 bits.
WIDTHS: dict[str, int] = {
    "bool": 1,
    "int16": 1,
    "uint16": 1,
    "int32": 2,
    "uint32": 2,
    "float32": 2,
    "int64": 4,
    "uint64": 4,
    "float64": 4,
}


class Register(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[source.NAME.registers]]`: one value of the device. `address` counts from 0, as the protocol does.

    `bit` is which of a register's 16 bits is meant, 0 the lowest. `length`: registers of a text. `words`: which register comes first of a
    value of several; `bytes`: which byte comes first in a register. Sent is the value times `scale` plus `offset`.
    """

    name: Name
    address: Annotated[int, Meta(ge=0, le=65535)]
    table: Literal["holding", "input", "coil", "discrete"] = "holding"
    type: Type = "uint16"
    bit: Annotated[int, Meta(ge=0, le=15)] | None = None
    length: Annotated[int, Meta(ge=1, le=64)] = 1
    words: Literal["big", "little"] = "big"
    bytes: Literal["big", "little"] = "big"
    scale: float = 1.0
    offset: float = 0.0
    unit: Annotated[str, Meta(max_length=16)] = ""

    @property
    def width(self) -> int:
        """How many registers, or coils, it takes."""
        if self.table in ("coil", "discrete"):
            return 1
        return self.length if self.type == "text" else WIDTHS[self.type]


class ModbusSettings(SourceSettings, frozen=True):
    """A device by TCP (`host`) or on a serial line (`device`)."""

    registers: Annotated[list[Register], Meta(min_length=1, max_length=256)]
    host: str = ""
    port: Annotated[int, Meta(ge=1, le=65535)] = 502
    #: Over TCP the frames of a serial line, as some converters want it.
    framing: Literal["tcp", "rtu"] = "tcp"
    #: A serial port, or a pattern of which the first that exists is taken.
    device: str = ""
    baudrate: Annotated[int, Meta(ge=50, le=4_000_000)] = 19200
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    timeout_s: Annotated[float, Meta(ge=0.05, le=10)] = 1.0
    #: Registers between two that are wanted which are read along, to ask less often.
    gap: Annotated[int, Meta(ge=0, le=100)] = 0

    def __post_init__(self) -> None:
        if bool(self.host) == bool(self.device):
            raise ValueError(text("modbus.host_or_device"))
        names = [register.name for register in self.registers]
        if len(set(names)) < len(names):
            raise ValueError(text("modbus.twice", name=next(name for name in names if names.count(name) > 1)))

"""A ROS 2 type -> the type that cyclonedds registers with DDS, whose samples are handed on as the bytes that came.

cyclonedds would decode them field by field in Python; `ros.cdr` does it several times faster, by code that is made once a type.
"""

from typing import Any, Final

from cyclonedds.idl import IdlStruct, make_idl_struct, types
from rosbags.interfaces import Nodetype

from croody_edge.sources.ros2.names import dds_type
from croody_edge.texts import text
from croody_edge.variables import BadSetting

_PLAIN: Final[dict[str, Any]] = {
    "bool": bool,
    "byte": types.uint8,
    "octet": types.uint8,
    "char": types.uint8,
    "int8": types.int8,
    "uint8": types.uint8,
    "int16": types.int16,
    "uint16": types.uint16,
    "int32": types.int32,
    "uint32": types.uint32,
    "int64": types.int64,
    "uint64": types.uint64,
    "float32": types.float32,
    "float64": types.float64,
    "string": str,
}


class Raw:
    """Bytes of a sample."""

    __slots__ = ("body", "sample_info")

    def __init__(self, body: bytes) -> None:
        self.body = body


class IdlTypes:
    """Of one robot's types; each is made once, as DDS knows a type by its name."""

    def __init__(self, definitions: Any) -> None:
        """Args: `definitions` are rosbags' `fielddefs`: `package/msg/Name` -> (constants, [(field, description)])."""
        self._definitions = definitions
        self._made: dict[str, type[IdlStruct]] = {}

    def of(self, kind: str) -> type[IdlStruct]:
        """The type of messages `package/msg/Name`.

        Raises:
            BadSetting: it has what cyclonedds does not know, such as wide strings.
        """
        made = self._struct(kind)
        if "deserialize" not in made.__dict__:
            made.deserialize = classmethod(lambda cls, data, **more: Raw(bytes(data)))  # type: ignore[method-assign, assignment]
        return made

    def blank(self, kind: str) -> Any:
        """A message with nothing in it: zeros and empty texts."""
        return self._blank((Nodetype.NAME, kind))

    def _blank(self, description: Any) -> Any:
        sort, what = description
        if sort == Nodetype.NAME:
            shape = {f"{name}_": self._blank(inner) for name, inner in self._definitions[what][1]}
            return self._struct(what)(**shape)
        if sort == Nodetype.ARRAY:
            return [self._blank(what[0]) for _ in range(what[1])]
        if sort == Nodetype.SEQUENCE:
            return []
        return "" if what[0] == "string" else 0

    def _struct(self, kind: str) -> type[IdlStruct]:
        if kind not in self._made:
            _, fields = self._definitions[kind]
            # On DDS, ROS 2 ends every field's name with an underscore.
            shape = {f"{name}_": self._type(description, kind) for name, description in fields}
            self._made[kind] = make_idl_struct(kind.rpartition("/")[2], dds_type(kind).replace("::", "."), shape)
        return self._made[kind]

    def _type(self, description: Any, kind: str) -> Any:
        sort, what = description
        if sort == Nodetype.NAME:
            return self._struct(what)
        if sort == Nodetype.BASE and what[0] in _PLAIN:
            return _PLAIN[what[0]]
        if sort == Nodetype.ARRAY:
            return types.array[self._type(what[0], kind), what[1]]  # type: ignore[misc]
        if sort == Nodetype.SEQUENCE:
            return types.sequence[self._type(what[0], kind)]  # type: ignore[misc]
        raise BadSetting(text("ros.type_not_on_dds", kind=kind, what=what))

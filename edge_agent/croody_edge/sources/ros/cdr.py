"""Bytes of a ROS 2 message (CDR) -> the message. Knows the types of a distribution, and those of `.msg` files beside them."""

from pathlib import Path
from typing import Any, Final

from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, TypesysError, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from croody_edge.texts import text
from croody_edge.variables import BadSetting

#: Distribution -> its types; they hardly change from one to the next.
DISTROS: Final = {name.removeprefix("ROS2_").lower(): Stores[name] for name in Stores.__members__ if name.startswith("ROS2_")}


class BadMessage(ValueError):
    """Bytes that are no message of that type."""


class Types:
    """The types of one robot."""

    def __init__(self, distro: str, definitions: tuple[Path, ...] = ()) -> None:
        """Args: `definitions` are `.../package/msg/Name.msg` files.

        Raises:
            BadSetting: no such distribution, or a definition that cannot be read.
        """
        if distro not in DISTROS:
            raise BadSetting(text("ros.distro", distro=distro, names=", ".join(DISTROS)))
        self.store: Typestore = get_typestore(DISTROS[distro])
        for path in definitions:
            self._add(path)
        for path in definitions:
            self._check(path)

    def __contains__(self, kind: object) -> bool:
        """Whether `package/msg/Name` is known."""
        return kind in self.store.fielddefs

    def message(self, raw: bytes, kind: str) -> Any:
        """The message.

        Raises:
            BadMessage: it is none.
        """
        try:
            return self.store.deserialize_cdr(raw, kind)
        except (SerdeError, IndexError, KeyError, MemoryError, OverflowError) as error:
            raise BadMessage(str(error)) from error

    def _add(self, path: Path) -> None:
        try:
            self.store.register(get_types_from_msg(path.read_text(encoding="utf-8"), _kind(path)))
        except (OSError, ValueError, TypesysError) as error:
            raise BadSetting(text("ros.definition", path=path, error=error)) from error

    def _check(self, path: Path) -> None:
        for _, described in self.store.fielddefs[_kind(path)][1]:
            sort, what = described if described[0] not in (Nodetype.ARRAY, Nodetype.SEQUENCE) else described[1][0]
            if sort == Nodetype.NAME and what not in self.store.fielddefs:
                raise BadSetting(text("ros.definition", path=path, error=text("ros.no_such_type", kind=what)))


def _kind(path: Path) -> str:
    """`.../package/msg/Name.msg` -> `package/msg/Name`.

    Raises:
        ValueError: it lies elsewhere.
    """
    *_, package, _, name = path.with_suffix("").parts
    return f"{package}/msg/{name}"

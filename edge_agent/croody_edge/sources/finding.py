"""A kind of source by its name, among the entry points of all installed packages. Imports that one and no other."""

from importlib.metadata import EntryPoint, entry_points
from typing import cast

from croody_edge.sources import GROUP, Kind, SourceSettings
from croody_edge.texts import text
from croody_edge.variables import BadSetting


def names() -> list[str]:
    """Of all kinds that are installed."""
    return sorted(entry_points(group=GROUP).names)


def find(name: str, asked_by: str) -> Kind:
    """The kind of that name.

    Args:
        name: of an entry point.
        asked_by: the variable or the place in a file that names it, for the message.

    Raises:
        BadSetting: no such kind, or two of that name, or it cannot be loaded, or it is none.
    """
    points = entry_points(group=GROUP)
    found = [point for point in points if point.name == name]
    if not found:
        raise BadSetting(text("setting.source", asked_by=asked_by, name=repr(name[:80]), names=", ".join(sorted(points.names))))
    if len(found) > 1:
        raise BadSetting(text("setting.source_twice", asked_by=asked_by, name=repr(name), count=len(found), packages=_packages(found)))
    (point,) = found
    said = {"asked_by": asked_by, "name": repr(name), "place": point.value, "package": _packages(found)}
    try:
        kind = point.load()
    except ModuleNotFoundError as error:
        if point.dist is not None and name in (point.dist.metadata.get_all("Provides-Extra") or ()):
            # Ours is in no registry: what its kinds need is pinned in the repository.
            key = "setting.source_library" if point.dist.name == "croody-edge" else "setting.source_extra"
            raise BadSetting(text(key, **said, wanted=f"{point.dist.name}[{name}]", extra=name, error=error)) from error
        raise BadSetting(text("setting.source_broken", **said, error=error)) from error
    except (ImportError, AttributeError) as error:
        raise BadSetting(text("setting.source_broken", **said, error=error)) from error
    own = getattr(kind, "Settings", None)
    if not callable(kind) or not isinstance(own, type) or not issubclass(own, SourceSettings):
        raise BadSetting(text("setting.source_broken", **said, error=text("setting.source_no_kind")))
    return cast(Kind, kind)


def _packages(points: list[EntryPoint]) -> str:
    return ", ".join(sorted(point.dist.name if point.dist is not None else "?" for point in points))

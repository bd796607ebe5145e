"""Topic templates: `press/{unit}/oil` is the filter `press/+/oil`, and its names go into those of metrics. Pure."""

import re
from dataclasses import dataclass, field

from croody_edge.texts import text

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_WILD = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True)
class Template:
    """A template, read."""

    topic: str
    filter: str = field(init=False)
    names: tuple[str, ...] = field(init=False)
    _levels: list[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        levels = self.topic.split("/")
        for index, level in enumerate(levels):
            whole = level in ("+", "#") or _PLACE.fullmatch(level)
            if (not whole and any(char in level for char in "+#{}\x00")) or (level == "#" and index < len(levels) - 1):
                raise ValueError(text("mqtt.bad_topic", topic=repr(self.topic)))
        if not self.topic or len(self.topic) > 1024:
            raise ValueError(text("mqtt.bad_topic", topic=repr(self.topic[:60])))
        object.__setattr__(self, "filter", "/".join("+" if _PLACE.fullmatch(level) else level for level in levels))
        object.__setattr__(self, "names", tuple(_PLACE.findall(self.topic)))
        object.__setattr__(self, "_levels", levels)

    def match(self, topic: str) -> dict[str, str] | None:
        """The names and what stands for them; None when it is another topic. `_` is all that is wild."""
        levels = topic.split("/")
        found: dict[str, str] = {}
        wild: list[str] = []
        for index, level in enumerate(self._levels):
            if level == "#":
                wild += levels[index:]
                break
            if index >= len(levels):
                return None
            place = _PLACE.fullmatch(level)
            if place:
                found[place[1]] = levels[index]
            if place or level == "+":
                wild.append(levels[index])
            elif level != levels[index]:
                return None
        else:
            if len(levels) != len(self._levels):
                return None
        return found | {"_": "_".join(wild)}

    def fits(self, pattern: str) -> bool:
        """Say whether a pattern of metrics names only what the topic names."""
        return set(_PLACE.findall(pattern)) <= set(self.names) and not set("{}") & set(_PLACE.sub("", pattern))

    def metric(self, pattern: str, places: dict[str, str]) -> str:
        """A metric's name: the pattern filled in, or else the last level of the topic and what is wild in it."""
        if pattern:
            name = _PLACE.sub(lambda place: places.get(place[1], ""), pattern)
        else:
            fixed = [level for level in self._levels if level not in ("+", "#") and not _PLACE.fullmatch(level)]
            name = "_".join(part for part in (places["_"], fixed[-1] if fixed and self._levels[-1] == fixed[-1] else "") if part)
        return _WILD.sub("_", name).strip("_") or "value"

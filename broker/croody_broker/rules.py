"""Who may publish and read which topics, from Mosquitto's acl file. Pure; what no rule names is denied.

    topic [read|write|readwrite|deny] FILTER      for the `user` named above it
    pattern [read|write|readwrite|deny] FILTER    for everybody; a level `%u` is the user's name, `%c` the client id

One difference to Mosquitto, on the safe side: there every subscription is granted and only deliveries are checked; here
a subscription is granted only when one read rule covers all of it, and deliveries are checked as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_READ: Final = 1
_WRITE: Final = 2
_ACCESS: Final = {"read": _READ, "write": _WRITE, "readwrite": _READ | _WRITE, "deny": 0}

Levels = tuple[str, ...]


def matches(topic: Sequence[str], rule: Sequence[str]) -> bool:
    """Say whether a topic (its levels) lies in a filter (its levels). `$...` lies only in filters that spell it."""
    if topic[0].startswith("$") and rule[0] in ("+", "#"):
        return False
    for index, level in enumerate(rule):
        if level == "#":
            return True
        if index >= len(topic):
            return False
        if level != "+" and level != topic[index]:
            return False
    return len(topic) == len(rule)


def covers(rule: Sequence[str], wanted: Sequence[str]) -> bool:
    """Say whether every topic in filter `wanted` lies in filter `rule` too (both as levels)."""
    if wanted[0].startswith("$") and rule[0] in ("+", "#"):
        return False
    for index, level in enumerate(rule):
        if level == "#":
            return True
        if index >= len(wanted):
            return False
        if wanted[index] == "#" or (level != "+" and level != wanted[index]):
            return False
    return len(wanted) == len(rule)


def valid_filter(levels: Sequence[str]) -> bool:
    """Say whether MQTT allows the filter: `+` and `#` alone on their level, `#` only on the last one, no NUL."""
    last = len(levels) - 1
    for index, level in enumerate(levels):
        if "\0" in level or (("+" in level or "#" in level) and len(level) > 1) or (level == "#" and index != last):
            return False
    return levels != [""] and levels != ("",)


class Grant:
    """What one client may do. Made once a session from the rules, for its user and client id."""

    __slots__ = ("_denied", "_read", "_write")

    def __init__(self, read: Iterable[Levels] = (), write: Iterable[Levels] = (), denied: Iterable[Levels] = ()) -> None:
        self._read = tuple(read)
        self._write = tuple(write)
        self._denied = tuple(denied)

    def _within(self, topic: Sequence[str], allowed: tuple[Levels, ...]) -> bool:
        return any(matches(topic, rule) for rule in allowed) and not any(matches(topic, rule) for rule in self._denied)

    def may_publish(self, topic: Sequence[str]) -> bool:
        """Say whether it may publish to this topic (its levels)."""
        return self._within(topic, self._write)

    def may_receive(self, topic: Sequence[str]) -> bool:
        """Say whether a message on this topic (its levels) may be delivered to it."""
        return self._within(topic, self._read)

    def may_subscribe(self, wanted: Sequence[str]) -> bool:
        """Say whether it may subscribe to this filter (its levels): one read rule must cover it whole."""
        return valid_filter(wanted) and any(covers(rule, wanted) for rule in self._read)


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the file. `access` is a sum of read (1) and write (2); 0 denies both."""

    access: int
    levels: Levels


class Rules:
    """All lines of an acl file."""

    def __init__(self, users: Mapping[str, Sequence[Rule]] | None = None, patterns: Sequence[Rule] = ()) -> None:
        self._users = {user: tuple(rules) for user, rules in (users or {}).items()}
        self._patterns = tuple(patterns)

    def __len__(self) -> int:
        return sum(map(len, self._users.values())) + len(self._patterns)

    def names(self, user: str) -> bool:
        """Say whether there are rules for this user alone."""
        return user in self._users

    def grant(self, user: str, client_id: str) -> Grant:
        """What `user` may do when it is connected as `client_id`."""
        rules = list(self._users.get(user, ()))
        for rule in self._patterns:
            levels = _filled(rule.levels, user, client_id)
            if levels is not None:
                rules.append(Rule(rule.access, levels))
        return Grant(
            read=(rule.levels for rule in rules if rule.access & _READ),
            write=(rule.levels for rule in rules if rule.access & _WRITE),
            denied=(rule.levels for rule in rules if not rule.access),
        )


def _filled(levels: Levels, user: str, client_id: str) -> Levels | None:
    """Put the names in. `None` when a name would be a wildcard or more than one level: such a rule gives nothing."""
    out: list[str] = []
    for level in levels:
        name = {"%u": user, "%c": client_id}.get(level)
        if name is not None and (not name or any(sign in name for sign in "/+#\0")):
            return None
        out.append(level if name is None else name)
    return tuple(out)


def parse_acl(text: str) -> tuple[Rules, list[str]]:
    """Read an acl file. Returns the rules and what is wrong with the lines that were left out.

    A line that cannot be understood could have been a `deny`: it is left out, and whoever called says so loudly.
    """
    users: dict[str, list[Rule]] = {}
    patterns: list[Rule] = []
    problems: list[str] = []
    section: list[Rule] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if word == "user" and rest:
            section = users.setdefault(rest, [])
        elif word in ("topic", "pattern") and (rule := _rule(rest)) is not None:
            if word == "pattern":
                patterns.append(rule)
            elif section is not None:
                section.append(rule)
            else:
                problems.append(f"line {number}: a topic before any user is for clients without a name, who stay out")
        else:
            problems.append(f"line {number}: expected user NAME, or topic|pattern [read|write|readwrite|deny] FILTER")
    return Rules(users, patterns), problems


def _rule(text: str) -> Rule | None:
    access, _, rest = text.partition(" ")
    if access not in _ACCESS:
        access, rest = "readwrite", text
    levels = tuple(rest.strip().split("/"))
    return Rule(_ACCESS[access], levels) if valid_filter(levels) else None

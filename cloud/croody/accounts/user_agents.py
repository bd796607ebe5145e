"""What a browser says of itself, in a few words: `Firefox, Linux`. Pure; what it cannot read it shows as it came."""

from typing import Final

#: Sought in this order: browsers name those that they are like.
_BROWSERS: Final = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_LONGEST: Final = 40


def words(agent: str) -> str:
    """The browser and the system it runs on."""
    found = [next((name for mark, name in table if mark in agent), "") for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found)) or agent[:_LONGEST] or "?"

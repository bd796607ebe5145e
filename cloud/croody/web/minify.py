"""What the browser gets of our own scripts and styles: without their remarks and indentation. Pure; knows no file.

It holds by the way we write them: a remark of a script has lines of its own, and no text of theirs goes on over a line's end.
"""

import re
from typing import Final

_REMARK: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


def script(text: str) -> str:
    """A module without the lines that are remarks, and without indentation.

    Raises:
        ValueError: a template literal goes on over the end of a line, and would lose its spaces.
    """
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("//")]
    for line in lines:
        if line.count("`") % 2:
            raise ValueError(f"{line[:60]!r}: a template literal ends on its line, or its spaces would be lost; join pieces with +")
    return "\n".join(lines) + "\n"


def style(text: str) -> str:
    """A style sheet without remarks and indentation."""
    lines = [line.strip() for line in _REMARK.sub("", text).splitlines()]
    return "\n".join(line for line in lines if line) + "\n"

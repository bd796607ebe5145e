"""How deep JSON may be nested, told without decoding it: of what nobody reads, too. Pure."""

import re
from typing import Final

from croody_contract.limits import MAX_NESTING
from croody_contract.messages import Refused

#: What `translate` is to leave out, so that brackets are left.
NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_OPENING: Final = frozenset(b"[{")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def check_depth(raw: bytes) -> None:
    """Nesting of a body or record.

    Raises:
        Refused: deeper than `MAX_NESTING`.
    """
    brackets = raw.translate(None, NOT_BRACKETS)
    if len(brackets) <= 2 * MAX_NESTING or _depth(brackets) <= MAX_NESTING:
        return
    # Brackets within texts are none.
    if _depth(_STRING.sub(b"", raw).translate(None, NOT_BRACKETS)) > MAX_NESTING:
        raise Refused("too_deep", f"body: nested deeper than {MAX_NESTING} levels")


def _depth(brackets: bytes) -> int:
    depth = deepest = 0
    for bracket in brackets:
        if bracket in _OPENING:
            depth += 1
            if depth > deepest:
                deepest = depth
        else:
            depth -= 1
    return deepest

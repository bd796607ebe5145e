"""The order of a robot's streams, told by which names which as the one before it, never by a clock. Pure."""

from collections.abc import Mapping, Sequence


def arrange(order: Sequence[str], prev_of: Mapping[str, str | None], stream: str, prev: str | None, *, historical: bool) -> list[str]:
    """The order after `stream` spoke: for the first time, or live for the first time.

    Whatever the order in which streams are heard of, each one comes after the one that it names.

    Args:
        order: the robot's streams known so far, oldest first. `stream` is among them when it was heard or named before.
        prev_of: what each of them named before.
        stream: who speaks.
        prev: whom it names, None for nobody.
        historical: it speaks of the past. A stream that speaks live and that nobody names is the newest one.
    """
    out = list(order)
    successor = next((index for index, name in enumerate(out) if name != stream and prev_of.get(name) == stream), None)
    if not historical and successor is None:
        out = [name for name in out if name != stream]
        out.append(stream)
    elif stream not in out:
        out.insert(_spot(out, prev_of, prev, successor), stream)
    if prev is None or prev == stream:
        return out
    if prev not in out:
        out.insert(out.index(stream), prev)
        return out
    at = out.index(stream)
    chain = _chain(prev, prev_of)
    if out.index(prev) > at and stream not in chain:
        # It came before its successor was known to be one: with all before it, it moves to where it belongs.
        moved = [name for name in out[at:] if name in chain]
        out = out[:at] + moved + [name for name in out[at:] if name not in chain]
    return out


def _spot(order: Sequence[str], prev_of: Mapping[str, str | None], prev: str | None, successor: int | None) -> int:
    """Where a stream that was not heard of before goes: before its successor, else after `prev`, else before the newest chain."""
    if successor is not None:
        return successor
    if prev in order:
        return order.index(prev) + 1
    if not order:
        return 0
    newest = _chain(order[-1], prev_of)
    return next(index for index, name in enumerate(order) if name in newest)


def _chain(stream: str, prev_of: Mapping[str, str | None]) -> set[str]:
    """`stream` and all before it, as far as they name each other."""
    found: set[str] = set()
    name: str | None = stream
    while name is not None and name not in found:
        found.add(name)
        name = prev_of.get(name)
    return found

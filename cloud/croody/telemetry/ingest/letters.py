"""What could not be stored, as it is kept: reason, detail and at most `KEPT_BYTES` of its body. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from croody_contract.batch import payload_hash
from croody_contract.limits import KIB

#: Of one body, this much is kept, in bytes; it is enough for any single record.
KEPT_BYTES: Final = 64 * KIB
_ROWS_START: Final = b'{"records":['
_ROWS_END: Final = b"]}"


@dataclass(frozen=True, slots=True)
class Letter:
    """`first` and `last` are 0 when it has no place in a stream."""

    robot_id: str
    stream: str
    first: int
    last: int
    reason: str
    detail: str
    topic: str
    body: bytes
    hash: str


def make(robot_id: str, reason: str, detail: str, topic: str, body: bytes, digest: str = "") -> Letter:
    """A letter without a place. Every text is made such that any database stores it.

    `digest`: of all of the body, where only its beginning came.
    """
    return Letter(
        robot_id=clean(robot_id, 64),
        stream="",
        first=0,
        last=0,
        reason=clean(reason, 32),
        detail=clean(detail, 2000),
        topic=clean(topic, 512),
        body=body[:KEPT_BYTES],
        hash=clean(digest, 32) or payload_hash(body),
    )


def place(letter: Letter, stream: str, first: int, last: int) -> Letter:
    """The same letter with its place."""
    return replace(letter, stream=stream, first=first, last=last)


def of_records(robot_id: str, stream: str, first: int, records: Sequence[bytes], reason: str, detail: str, topic: str) -> Iterator[Letter]:
    """Letters for a whole batch whose records may be good: cut so that every body is kept whole and can be played again."""
    start, size, run = first, 0, list[bytes]()
    for seq, raw in enumerate(records, start=first):
        if run and size + len(raw) + 1 > KEPT_BYTES - len(_ROWS_START) - len(_ROWS_END):
            yield place(make(robot_id, reason, detail, topic, _body(run)), stream, start, seq - 1)
            start, size, run = seq, 0, []
        run.append(raw)
        size += len(raw) + 1
    if run:
        yield place(make(robot_id, reason, detail, topic, _body(run)), stream, start, first + len(records) - 1)


def clean(text: str, most: int) -> str:
    """`text` without what databases refuse (U+0000, lone surrogates), at most `most` characters."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()[:most]


def _body(records: list[bytes]) -> bytes:
    return _ROWS_START + b",".join(records) + _ROWS_END

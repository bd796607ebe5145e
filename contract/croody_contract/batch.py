"""The body of `up/batch`, both ways: records <-> bytes. Pure.

A batch holds every record from `first` to `last` of its topic, in order, so the records need not repeat their seq.
The bytes of a record are fixed when the agent queues it and travel verbatim: their hash tells a repeat from a clone.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from croody_contract.explain import explain
from croody_contract.limits import MAX_DECOMPRESSED_BYTES, MAX_NESTING, MAX_RECORD_BYTES, MAX_RECORDS, MAX_SEQ
from croody_contract.messages import Refused, Stream
from croody_contract.named_twice import body_said_twice

_GZIP_MAGIC = b"\x1f\x8b"
#: Below this many bytes compression costs more than it saves.
_WORTH_COMPRESSING = 512


class Head(Struct, frozen=True, omit_defaults=True):
    """What a batch says beside its records: the stream before this one (for order), and whether it is backlog."""

    prev: Stream | None = None
    prev_last: Annotated[int, Meta(ge=0, le=MAX_SEQ)] | None = None
    historical: bool = False


class Body(Head, frozen=True, omit_defaults=True, kw_only=True):
    """JSON of the body. `records` are kept as the bytes that came."""

    records: list[msgspec.Raw]


class Parted(Body, frozen=True, kw_only=True):
    """A body that is not JSON as a whole, its records told apart all the same: any of them may be what is wrong."""


#: Where the rows begin.
_RECORDS: Final = re.compile(r'"records"\s*:\s*\[')

_body = msgspec.json.Decoder(Body)
_head = msgspec.json.Decoder(Head)


def payload_hash(raw: bytes | msgspec.Raw) -> str:
    """First 128 bits of the SHA-256 of a record's bytes, in hex."""
    return hashlib.sha256(raw).hexdigest()[:32]


def pack(head: Head, records: list[bytes]) -> bytes:
    """Bytes to publish: JSON, gzip when it pays. Deterministic: the same records give the same bytes."""
    start = msgspec.json.encode(head)[:-1]
    body = b"".join((start, b"," if len(start) > 1 else b"", b'"records":[', b",".join(records), b"]}"))
    if len(body) < _WORTH_COMPRESSING:
        return body
    packer = zlib.compressobj(level=6, wbits=31)
    packed = packer.compress(body) + packer.flush()
    return packed if len(packed) < len(body) else body


def unpack(payload: bytes, expected: int) -> Body:
    """Read a batch of `expected` records. Each record is still raw: one bad row must not cost the others.

    Every record is JSON, unless the body is `Parted`; text that is no UTF-8 is found only by who decodes it.

    Raises:
        Refused: the body as a whole cannot be read; nothing of it can be stored.
    """
    data = inflate(payload)
    try:
        body = _body.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        body = _lenient(data, error)
    else:
        _check_names(data, body.records)
    if len(body.records) != expected:
        raise Refused("bad_count", f"records: the topic says {expected}, the body holds {len(body.records)}")
    if expected > MAX_RECORDS:
        raise Refused("too_many", f"records: {expected} in one batch, at most {MAX_RECORDS}")
    return body


def inflate(payload: bytes) -> bytes:
    """Undo gzip where it was used, never past `MAX_DECOMPRESSED_BYTES`.

    Raises:
        Refused: broken gzip, or more bytes than the limit.
    """
    if not payload.startswith(_GZIP_MAGIC):
        return payload
    opener = zlib.decompressobj(wbits=31)
    try:
        data = opener.decompress(payload, MAX_DECOMPRESSED_BYTES + 1)
    except zlib.error as error:
        raise Refused("bad_gzip", f"body: begins like gzip and is not: {error}") from error
    if len(data) > MAX_DECOMPRESSED_BYTES:
        raise Refused("too_large", f"body: more than {MAX_DECOMPRESSED_BYTES} bytes when unpacked")
    if not opener.eof:
        raise Refused("bad_gzip", "body: the gzip data ends too early")
    return data


def check_size(raw: bytes | msgspec.Raw) -> None:
    """A single record's size.

    Raises:
        Refused: larger than `MAX_RECORD_BYTES`.
    """
    size = len(bytes(raw))
    if size > MAX_RECORD_BYTES:
        raise Refused("too_large", f"record: {size} bytes, at most {MAX_RECORD_BYTES}: send fewer metrics or shorter texts")


def _check_names(data: bytes, records: Sequence[bytes | msgspec.Raw]) -> None:
    """A name of the body that stands twice hides something: of two `records` the first were lost.

    As a rule the records are the only array there is, and nothing stands between them but commas: then what is around them is short.
    """
    raws = [bytes(record) for record in records]
    start, end = data.find(b"["), data.rfind(b"]")
    compact = end - start - 1 == sum(map(len, raws)) + max(0, len(raws) - 1)
    if sentence := body_said_twice(data[: start + 1] + data[end:] if compact else _without(data, raws)):
        raise Refused("twice", sentence)


def _without(data: bytes, raws: Sequence[bytes]) -> bytes:
    """The body with a 0 for each of its records."""
    parts, at = [], 0
    for raw in raws:
        found = data.index(raw, at)
        parts.append(data[at:found])
        at = found + len(raw)
    return b"0".join([*parts, data[at:]])


def _lenient(data: bytes, cause: Exception) -> Body:
    """Part the rows of a body of which one is not JSON (`NaN`), so that the others can still be stored.

    Raises:
        Refused: the rows cannot be told apart.
    """
    if isinstance(cause, RecursionError):
        raise Refused("too_deep", f"body: nested deeper than {MAX_NESTING} levels") from cause
    try:
        text = data.decode()
    except UnicodeError as error:
        raise Refused("bad_utf8", f"body: not valid UTF-8: {error}") from error
    mark = _RECORDS.search(text)
    if mark is None:
        raise _refused(cause, data) from cause
    try:
        records, end = _rows(text, mark.end())
        bare = f'{text[: mark.start()]}"records":[]{text[end:]}'.encode()
        head = _head.decode(bare)
    except (ValueError, IndexError, RecursionError, msgspec.MsgspecError):
        raise _refused(cause, data) from cause
    if sentence := body_said_twice(bare):
        raise Refused("twice", sentence)
    return Parted(prev=head.prev, prev_last=head.prev_last, historical=head.historical, records=records)


def _refused(cause: Exception, data: bytes) -> Refused:
    return Refused("bad_json", explain(cause, data, key_type=str, value_type=Any)[1])


def _rows(text: str, at: int) -> tuple[list[msgspec.Raw], int]:
    """The values of the array that begins before `at`, each as it stands, and where the text goes on after it.

    Raises:
        ValueError, IndexError, RecursionError: it is no array of values that Python's lenient reader can tell apart.
    """
    reader = json.JSONDecoder()
    records: list[msgspec.Raw] = []
    while len(records) <= MAX_RECORDS:
        start = _skip(text, at)
        if text[start] == "]" and not records:
            return records, start + 1
        _, end = reader.raw_decode(text, start)
        records.append(msgspec.Raw(text[start:end].encode()))
        at = _skip(text, end)
        if text[at] == "]":
            return records, at + 1
        if text[at] != ",":
            raise ValueError(f"expected ',' or ']' at {at}")
        at += 1
    raise ValueError(f"more than {MAX_RECORDS} records")


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at

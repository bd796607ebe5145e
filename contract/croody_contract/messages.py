"""Payloads of the link between a robot and the cloud. Pure structs; `check_record` holds the rules a type cannot say.

Every time is ISO 8601 with offset. Every record is one of nine kinds, told apart by `kind`; all of them are numbered
in one stream, so one ledger proves them all.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from math import isfinite
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, inspect

from croody_contract import jpeg
from croody_contract.claims import SecretHashes
from croody_contract.explain import explain
from croody_contract.limits import MAX_LOG_LINES, MAX_METRICS, MAX_NAME_CHARS, MAX_PICTURE_BYTES, MAX_SEQ, MAX_TEXT_CHARS
from croody_contract.named_twice import said_twice

Moment = Annotated[datetime, Meta(tz=True, description="ISO 8601 with offset")]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
RobotId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{3,64}$(?!\n)")]
Stream = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)")]
Seq = Annotated[int, Meta(ge=1, le=MAX_SEQ)]
Span = tuple[Seq, Seq]
#: As far as databases keep whole numbers exact.
Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Value = bool | Integer | float | Text
Kind = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,31}$(?!\n)")]


class Position(Struct, frozen=True, forbid_unknown_fields=True):
    """WGS 84, degrees; `alt` in metres."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lng: Annotated[float, Meta(ge=-180, le=180)]
    alt: float | None = None


class Reading(Struct, frozen=True, tag_field="kind", tag="reading", omit_defaults=True):
    """What a robot measured at `ts`. `data` keys are metric names with their unit in them (`battery_pct`)."""

    data: Annotated[dict[Name, Value], Meta(max_length=MAX_METRICS)]
    ts: Moment | None = None
    position: Position | None = None
    environment: Annotated[str, Meta(max_length=64)] | None = None
    status: Annotated[str, Meta(max_length=64)] | None = None


class Event(Struct, frozen=True, tag_field="kind", tag="event", omit_defaults=True):
    """Something that happened, as a word: never thinned. `code` is a lower-case word such as `outbox_corrupt`.

    `over` says that what an earlier event of this code told is past: the alarm it made ends.
    """

    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,63}$(?!\n)")]
    ts: Moment | None = None
    severity: Literal["low", "medium", "high", "critical"] = "low"
    detail: dict[Name, Value] = {}
    over: bool = False


class Window(Struct, frozen=True, tag_field="kind", tag="window", omit_defaults=True):
    """A screened window of the robot's own sensors.

    `features` has shape (T, len(names)), oldest row first, raw units. `score` is the anomaly probability in [0, 1].
    `sampled` says that it was cleared and sent at random, so that the cloud can estimate what screening missed.
    """

    model: Annotated[str, Meta(min_length=1, max_length=128)]
    score: Annotated[float, Meta(ge=0, le=1)]
    suspect: bool
    names: Annotated[list[Name], Meta(max_length=64)]
    features: Annotated[list[list[float]], Meta(max_length=256)]
    ts: Moment | None = None
    sampled: bool = False


class Tombstone(Struct, frozen=True, tag_field="kind", tag="tombstone", omit_defaults=True):
    """These keys will never come: thinned by policy, or gone with a file. The cloud books them as `dropped`."""

    stream: Stream
    ranges: Annotated[list[Span], Meta(min_length=1, max_length=1000)]
    reason: Literal["thinned", "corrupt", "unknown"]
    ts: Moment | None = None


class MetricInfo(Struct, frozen=True, omit_defaults=True):
    """What a metric is, in the words of whoever wrote or configured its source. `es` and `en` are its label; empty: its name is.

    `decimals`: as many as the sensor means; None where nobody said so.
    """

    name: Name
    unit: Annotated[str, Meta(max_length=16)] = ""
    es: Annotated[str, Meta(max_length=48)] = ""
    en: Annotated[str, Meta(max_length=48)] = ""
    type: Literal["number", "text", "switch"] = "number"
    decimals: Annotated[int, Meta(ge=0, le=9)] | None = None


class Born(Struct, frozen=True, tag_field="kind", tag="born", omit_defaults=True):
    """First record of every stream (seq 1): the start of an agent. Names the stream before and its last seq.

    `capabilities` are the kinds of `Outgoing` that this agent can do; absent when it does not say. `metrics` says what the metrics of its
    sources are, as far as anybody described them.
    """

    agent: Annotated[str, Meta(max_length=64)]
    ts: Moment | None = None
    prev: Stream | None = None
    prev_last: Annotated[int, Meta(ge=0, le=MAX_SEQ)] | None = None
    capabilities: Annotated[list[Kind], Meta(max_length=64)] | None = None
    metrics: Annotated[list[MetricInfo], Meta(max_length=MAX_METRICS)] | None = None


class Snapshot(Struct, frozen=True, tag_field="kind", tag="snapshot", omit_defaults=True):
    """What a camera saw at `ts`: a JPEG, in base64 as JSON has it. Of one camera one is kept every `limits.PICTURE_EVERY_S`."""

    jpeg: Annotated[bytes, Meta(min_length=4, max_length=MAX_PICTURE_BYTES)]
    ts: Moment | None = None
    camera: Annotated[str, Meta(min_length=1, max_length=64)] = "camera"


class Log(Struct, frozen=True, tag_field="kind", tag="log", omit_defaults=True):
    """The last lines of an agent's own log, oldest first, because somebody asked (`Outgoing(kind="logs")`)."""

    lines: Annotated[list[Text], Meta(max_length=MAX_LOG_LINES)]
    ts: Moment | None = None


Count = Annotated[int, Meta(ge=0, le=2**53)]


class Evidence(Struct, frozen=True, tag_field="kind", tag="evidence", omit_defaults=True):
    """What a device of the robot's network did in the seconds before `ts`: its counters, as `flows.counters` names them.

    `windows`: seconds, as text -> counter -> value. `screen`: which limits judged it on board. `kinds`: limits that it goes beyond.
    `sampled` says that it was cleared and sent at random, so that the cloud can estimate what screening missed. `cleared`, `suspected`:
    how many such windows there were since the record before this one, sent or not.
    """

    device: Name
    screen: Name
    suspect: bool
    windows: Annotated[dict[Literal["10", "60"], Annotated[dict[Name, Count], Meta(max_length=64)]], Meta(max_length=2)]
    ts: Moment | None = None
    kinds: Annotated[list[Name], Meta(max_length=64)] = []
    beside: Annotated[list[Name], Meta(max_length=20)] = []
    sampled: bool = False
    cleared: Count = 0
    suspected: Count = 0


class Conversation(Struct, frozen=True, tag_field="kind", tag="flow", omit_defaults=True):
    """A flow of a device that goes beyond a limit: who spoke to whom from `ts` on, how it stands, and how much went each way.

    `flow_class`: the limit that such flows feed, or `normal`. The fields are those of `flows.records.Flow`.
    """

    source: Name
    target: Name
    protocol: Name
    source_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    target_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    application: Annotated[str, Meta(max_length=16)] = ""
    state: Annotated[str, Meta(max_length=16)] = ""
    seconds: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    packets: Count = 0
    bytes: Count = 0
    packets_back: Count = 0
    bytes_back: Count = 0
    flow_class: Annotated[str, Meta(max_length=64)] = "normal"
    ts: Moment | None = None


T = TypeVar("T")
Record = Reading | Event | Window | Tombstone | Born | Snapshot | Log | Evidence | Conversation


class Telemetry(Struct, frozen=True):
    """Body of `POST /api/telemetry/ingest` and of `up/telemetry`, where `robot_id` may be absent (the topic says it)."""

    data: Annotated[dict[Name, Value], Meta(max_length=MAX_METRICS)]
    robot_id: Annotated[str, Meta(min_length=3, max_length=64)] | None = None
    ts: Moment | None = None
    position: Position | None = None
    environment: Annotated[str, Meta(max_length=64)] | None = None
    status: Annotated[str, Meta(max_length=64)] | None = None


class Ack(Struct, frozen=True):
    """What is accounted for in `stream`, from one commit alone. The agent deletes exactly these rows."""

    stream: str
    stored: list[Span] = []
    dead: list[Span] = []


class Presence(Struct, frozen=True, omit_defaults=True):
    """`online` after every connect and as a heartbeat; `offline` at a clean stop and as the last will.

    `goodbye` is said with `offline` by a robot that stops because it was told to, never by its last will: it is off, not lost.
    """

    state: Literal["online", "offline"]
    stream: Stream | None = None
    ts: Moment | None = None
    queued: Annotated[int, Meta(ge=0)] = 0
    interval_s: Annotated[float, Meta(gt=0, le=86400)] | None = None
    goodbye: bool = False


class Outgoing(Struct, frozen=True, omit_defaults=True):
    """What the cloud wants of a robot. Sent again until answered or expired; a robot ignores what has expired."""

    id: Annotated[int, Meta(ge=1)]
    kind: Kind
    payload: dict[str, Any]
    expires_at: Moment


class Resend(Struct, frozen=True):
    """Payload of `Outgoing(kind="resend")`: publish these again, or answer with a tombstone for what you never had."""

    stream: Stream
    ranges: Annotated[list[Span], Meta(min_length=1, max_length=1000)]


class Logs(Struct, frozen=True, omit_defaults=True):
    """Payload of `Outgoing(kind="logs")`: put the last lines of your log into a record `log`."""

    lines: Annotated[int, Meta(ge=1, le=MAX_LOG_LINES)] = 100


class Rotate(Struct, frozen=True):
    """Payload of `Outgoing(kind="rotate")`: make a new secret, and come in by it.

    It is sent again until it is `done`. Answer `received`, with the hashes of the secret that you made for this `rotation`, while you are
    connected with another one; `done` once you are connected with it.
    """

    rotation: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)")]


class Answer(Struct, frozen=True, omit_defaults=True):
    """Body of `up/answer/{outgoing_id}`. `hashes`: of a secret that was just made, with `received` of a `rotate`."""

    state: Literal["received", "done", "refused", "expired"]
    detail: Text = ""
    hashes: SecretHashes | None = None


class Refused(ValueError):
    """A payload that breaks a rule. `reason` is a lower-case word for the books; the text names field, value and rule."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


_record: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_records: msgspec.json.Decoder[list[Record]] = msgspec.json.Decoder(list[Record])
_telemetry = msgspec.json.Decoder(Telemetry)
_telemetries = msgspec.json.Decoder(list[Telemetry])
_encoder = msgspec.json.Encoder()
_BACKSLASH: Final = b"\\"
_SPACES: Final = (b" ", b"\t", b"\n", b"\r")
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


def encode(message: Struct) -> bytes:
    """JSON bytes of any struct of this module."""
    return _encoder.encode(message)


def decode_record(raw: bytes | msgspec.Raw) -> Record:
    """One record of a batch, checked.

    Raises:
        Refused: with the field, the value and the rule.
    """
    record = parse_record(raw)
    check_record(record)
    check_names(bytes(raw))
    return record


def parse_record(raw: bytes | msgspec.Raw) -> Record:
    """One record, as far as its types go: for what `check_record` has seen before it was encoded.

    Raises:
        Refused: with the field, the value and the rule.
    """
    try:
        return _record.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError) as error:
        raise Refused(*explain(error, raw, key_type=Name, value_type=Value, inner_type=Count)) from error


def decode_telemetry(raw: bytes) -> Telemetry:
    """A plain reading, checked.

    Raises:
        Refused: with the field, the value and the rule.
    """
    try:
        body = _telemetry.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError) as error:
        raise Refused(*explain(error, raw, key_type=Name, value_type=Value)) from error
    check_reading(body)
    check_names(raw)
    return body


def decode_records(raws: Sequence[bytes]) -> list[Record] | None:
    """All records of a batch in one pass, for half the price; None when one of them may break a rule: decode them one by one.

    Each of `raws` is one JSON value, as it comes out of a relay.
    """
    records = _all(_records, raws)
    if records is None or not all(map(_keeps, [record for record in records if type(record) is not Reading])):
        return None
    return records


def decode_telemetries(raws: Sequence[bytes]) -> list[Telemetry] | None:
    """The same of plain readings."""
    return _all(_telemetries, raws)


def _all(decoder: "msgspec.json.Decoder[list[T]]", raws: Sequence[bytes]) -> list[T] | None:
    """Decode all at once. Of a reading nothing is left to check then, but for an escaped U+0000.

    JSON knows neither NaN nor infinity, and the decoder takes no lone surrogate, no float that overflows and no integer beyond 64 bits.
    """
    joined = b"[%b]" % b",".join(raws)
    if _BACKSLASH in joined:
        return None
    try:
        found = decoder.decode(joined)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
        return None
    return found if len(found) == len(raws) and _each_name_once(raws, joined, found) else None


def _each_name_once(raws: Sequence[bytes], joined: bytes, found: Sequence[Any]) -> bool:
    """Say whether no object of these has a name twice: nearly always it is enough to count the names. No text has an escape in it."""
    if any(space in joined and space + b":" in joined for space in _SPACES):
        return not any(map(said_twice, raws))
    return all(raw.count(b'":') == _names_of(message, raw) or not said_twice(raw) for raw, message in zip(raws, found, strict=True))


def _names_of(message: Any, raw: bytes) -> int:
    """How many names there are in the JSON of a reading, if it has no others than ours; of anything else, fewer than there are."""
    kind = type(message)
    if kind is Reading:
        count = 2 + len(message.data)
    elif kind is Telemetry:
        count = 1 + len(message.data) + (message.robot_id is not None)
    else:
        return 0
    position = message.position
    if position is not None:
        # Agents write the height also where there is none.
        count += 3 + (raw.count(b'"alt":null') if position.alt is None else 1)
    return count + (message.ts is not None) + (message.environment is not None) + (message.status is not None)


def check_names(raw: bytes) -> None:
    """No object of a body that was decoded has a name twice.

    Raises:
        Refused: with the name, and both values.
    """
    if sentence := said_twice(raw):
        raise Refused("twice", sentence)


def _keeps(record: Record) -> bool:
    try:
        check_record(record)
    except Refused:
        return False
    return True


def check_record(record: Record) -> None:
    """The rules that a type cannot say: finite numbers, storable texts, ranges in order.

    Raises:
        Refused: with the field, the value and the rule.
    """
    if isinstance(record, Reading):
        check_reading(record)
        return
    check_texts(record)
    match record:
        case Event(detail=detail):
            _check_numbers("detail", detail)
        case Window(features=features, names=names):
            for index, row in enumerate(features):
                if len(row) != len(names):
                    raise Refused("bad_shape", f"features[{index}] has {len(row)} values, names has {len(names)}: make them equal")
                if not all(isfinite(value) for value in row):
                    raise Refused("not_finite", f"features[{index}]: every value must be finite")
        case Tombstone(ranges=ranges):
            for first, last in ranges:
                if first > last:
                    raise Refused("bad_range", f"ranges: [{first}, {last}] ends before it begins")
        case Snapshot(jpeg=body):
            try:
                jpeg.size_of(body)
            except jpeg.NoJpeg as error:
                raise Refused("bad_picture", f"jpeg: {error}") from error


def check_reading(reading: Reading | Telemetry) -> None:
    """Values of a reading.

    Raises:
        Refused: with the field, the value and the rule.
    """
    check_texts(reading)
    _check_numbers("data", reading.data)
    if reading.position is not None:
        for field in ("lat", "lng", "alt"):
            number: float | None = getattr(reading.position, field)
            if number is not None and not isfinite(number):
                raise Refused("not_finite", f"position.{field}: {number} is not finite: leave it out instead")


def check_texts(message: Struct) -> None:
    """Every text of any message, by one rule: whatever field it is in, any database stores it. Lengths are in the types.

    Raises:
        Refused: with the field and the rule.
    """
    for field in _fields_with_text(type(message)):
        _check_texts_in(field, getattr(message, field))


@cache
def _fields_with_text(kind: type[Struct]) -> tuple[str, ...]:
    """Fields that may hold a text of any characters. What has a pattern, or is one of a few words, cannot."""
    return tuple(field.name for field in msgspec.structs.fields(kind) if _holds_text(inspect.type_info(field.type)))


def _holds_text(kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType(pattern=pattern):
            return pattern is None
        case inspect.UnionType(types=types):
            return any(map(_holds_text, types))
        case inspect.DictType() | inspect.AnyType():
            return True
        case inspect.StructType(cls=inner):
            return bool(_fields_with_text(inner))
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item) | inspect.Metadata(type=item):
            return _holds_text(item)
        case _:
            return False


def _check_texts_in(field: str, value: Any) -> None:
    if isinstance(value, str):
        _check_text(field, value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_text(f"{field} key", name)
            _check_texts_in(f"{field}.{name}", inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts_in(field, inner)
    elif isinstance(value, Struct):
        for inner in _fields_with_text(type(value)):
            _check_texts_in(f"{field}.{inner}", getattr(value, inner))


def _check_numbers(field: str, values: dict[str, Value]) -> None:
    for name, value in values.items():
        if isinstance(value, float) and not isfinite(value):
            raise Refused("not_finite", f"{field}.{name}: {value} is not finite: leave the metric out instead")
        if isinstance(value, int) and not _LEAST <= value <= _MOST:
            raise Refused("out_of_range", f"{field}.{name}: an integer must fit in 64 bits; send it as text")


def _check_text(field: str, text: str) -> None:
    if "\x00" in text:
        raise Refused("nul", f"{field}: holds the character U+0000, which no database stores: remove it")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused("surrogate", f"{field}: holds a lone surrogate, which is no character: send valid Unicode") from None

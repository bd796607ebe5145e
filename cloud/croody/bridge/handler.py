"""MQTT bytes to what the telemetry API takes, and its answer to what is published. Pure: knows neither paho, HTTP nor Django.

broker -> shell.on_message -> read -> bundle -> POST -> acknowledgements -> publishes
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec

from croody.bridge.receipts import UNNUMBERED, Delivery
from croody_contract import batch, messages, mosquitto, ranges, relay, topics, vda5050
from croody_contract.explain import explain
from croody_contract.limits import KIB, MAX_NESTING, MAX_PUBLISH_BYTES, MAX_RECORD_BYTES, MAX_RECORDS
from croody_contract.messages import Ack, Refused
from croody_contract.nesting import NOT_BRACKETS, check_depth

Item = relay.BatchItem | relay.PlainItem | relay.VehicleItem | relay.DeadItem | relay.PresenceItem | relay.AnswerItem

#: Of what is too large to be read, this much is kept for a person to look at, in bytes.
KEPT_BYTES: Final = 16 * KIB
#: One batch is cut into items of about this size, so that every relay stays under the API's limit, in bytes.
ITEM_BYTES: Final = 256 * KIB
#: A line of the log names this many items.
NAMED_ITEMS: Final = 20

#: What has a number in it.
_AWAITED: Final = (relay.PlainItem, relay.VehicleItem, relay.DeadItem)
#: Robots say the same topic again and again.
_parse_plain = lru_cache(maxsize=10_000)(topics.parse)
_raw = msgspec.json.Decoder(msgspec.Raw)
_presence = msgspec.json.Decoder(messages.Presence)
_answer = msgspec.json.Decoder(messages.Answer)
_unreadable = (msgspec.MsgspecError, UnicodeError, RecursionError)
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")


@dataclass(frozen=True, slots=True)
class Publish:
    """What the shell is to publish."""

    topic: str
    payload: bytes


def read(topic: str, payload: bytes, delivery: Delivery = UNNUMBERED) -> list[Item]:
    """Everything in one publish. Never fails: what cannot be read becomes a `DeadItem` that says why.

    `delivery`: of a plain reading, so that its end can be told to whoever waits for it.
    """
    if topic == mosquitto.DROPPED_TOPIC:
        return dropped(payload)
    if vda5050.parse_topic(topic) is not None:
        return [_read_vehicle(topic, payload, delivery)]
    try:
        parsed = _parse_plain(topic) if topics.is_plain(topic) else topics.parse(topic)
    except topics.BadTopic as error:
        return [_dead("bad_topic", str(error), topic, payload, robot_id=_robot_of(topic), number=delivery.number)]
    match parsed:
        case topics.UpBatch(robot_id, _, first, last):
            if last - first >= MAX_RECORDS:
                # An identity that no agent of ours writes proves nothing: it must not mark a whole stream as dead.
                text = f"range {first}-{last}: {last - first + 1} records in one batch, at most {MAX_RECORDS}"
                return [_dead("too_many", text, topic, payload, robot_id=robot_id)]
            return _read_batch(parsed, topic, payload)
        case topics.UpTelemetry(robot_id):
            return [_read_plain(robot_id, topic, payload, delivery)]
        case topics.UpPresence(robot_id):
            try:
                _check_size(payload, MAX_RECORD_BYTES)
                presence = _presence.decode(payload)
                messages.check_names(payload)
                return [relay.PresenceItem(robot_id, presence)]
            except (*_unreadable, Refused) as error:
                return [_dead(*_why("presence", error, payload), topic, payload, robot_id=robot_id)]
        case topics.UpAnswer(robot_id, outgoing_id):
            try:
                _check_size(payload, MAX_RECORD_BYTES)
                answer = _answer.decode(payload)
                messages.check_texts(answer)
                messages.check_names(payload)
                return [relay.AnswerItem(robot_id, outgoing_id, answer)]
            except (*_unreadable, Refused) as error:
                return [_dead(*_why("answer", error, payload), topic, payload, robot_id=robot_id)]
        case _:
            return [_dead("bad_topic", f"topic {topic!r}: only the cloud writes there", topic, payload, robot_id=parsed.robot_id)]


def dropped(payload: bytes) -> list[Item]:
    """What Mosquitto says of messages that it has dropped since it was started: a dead letter for each new sum, none for 0."""
    total = int(payload) if payload.isdigit() and len(payload) < 19 else 0
    text = (
        f"Mosquitto has dropped {total} messages since it was started: a subscriber was too far behind. "
        "Readings that agents send come again, plain ones do not: add a bridge (BRIDGE_SHARE), or raise --max-backlog"
    )
    return [_dead("broker_dropped", text, mosquitto.DROPPED_TOPIC, payload)] if total else []


def bundle(items: Iterable[Item], sender: relay.Sender | None = None, stale: Container[int] = ()) -> relay.Relay:
    """One relay of many items, each kind in the order it came. `stale`: numbers that another bridge may have been given, too."""
    batches: list[relay.BatchItem] = []
    plain: list[relay.PlainItem] = []
    dead: list[relay.DeadItem] = []
    presence: list[relay.PresenceItem] = []
    answers: list[relay.AnswerItem] = []
    vehicles: list[relay.VehicleItem] = []
    for item in items:
        match item:
            case relay.BatchItem():
                batches.append(item)
            case relay.PlainItem():
                plain.append(msgspec.structs.replace(item, again=True) if item.number in stale else item)
            case relay.VehicleItem():
                vehicles.append(msgspec.structs.replace(item, again=True) if item.number in stale else item)
            case relay.DeadItem():
                dead.append(item)
            case relay.PresenceItem():
                presence.append(item)
            case relay.AnswerItem():
                answers.append(item)
    return relay.Relay(sender=sender, batches=batches, plain=plain, dead=dead, presence=presence, answers=answers, vehicles=vehicles)


def encode(items: Iterable[Item], sender: relay.Sender | None = None, stale: Container[int] = ()) -> bytes:
    """The body of the POST."""
    return msgspec.json.encode(bundle(items, sender, stale))


def numbers(items: Iterable[Item]) -> list[int]:
    """The numbers of those items that somebody waits for."""
    return [item.number for item in items if isinstance(item, _AWAITED) and item.number]


def size_of(item: Item) -> int:
    """About how many bytes an item adds to the body; never less than it does by much."""
    match item:
        case relay.BatchItem():
            return 256 + sum(len(bytes(raw)) + 1 for raw in item.records)
        case relay.PlainItem():
            return 128 + len(bytes(item.body))
        case relay.VehicleItem():
            return 256 + 2 * len(item.topic) + len(bytes(item.body))
        case relay.DeadItem():
            return 512 + len(item.detail) * 2 + len(item.topic) * 2 + len(item.body) * 4 // 3
        case _:
            return 512


def named(items: Sequence[Item]) -> str:
    """Which readings a relay holds, for a line of the log: `ROBOT/STREAM/FIRST-LAST` of each batch, and the first of many only."""
    told = [_name(item) for item in items[:NAMED_ITEMS]]
    return " ".join(told) + (f" and {len(items) - NAMED_ITEMS} more" if len(items) > NAMED_ITEMS else "")


def _name(item: Item) -> str:
    match item:
        case relay.BatchItem(robot_id, stream, first, records):
            return f"{robot_id}/{stream}/{first}-{first + len(records) - 1}"
        case relay.PlainItem(robot_id):
            return f"{robot_id}/plain"
        case relay.VehicleItem(topic):
            return topic
        case relay.PresenceItem(robot_id, _):
            return f"{robot_id}/presence"
        case relay.AnswerItem(robot_id, outgoing_id, _):
            return f"{robot_id}/answer/{outgoing_id}"
        case _:
            return f"{item.robot_id or 'unknown'}/dead"


def halves(items: Sequence[Item]) -> tuple[list[Item], list[Item]] | None:
    """Part what the API refused, to find the one that it cannot take: by items, then a batch by its records.

    None for what cannot be parted further.
    """
    if len(items) > 1:
        middle = len(items) // 2
        return list(items[:middle]), list(items[middle:])
    only = items[0]
    if isinstance(only, relay.BatchItem) and len(only.records) > 1:
        middle = len(only.records) // 2
        left = msgspec.structs.replace(only, records=only.records[:middle])
        right = msgspec.structs.replace(only, first=only.first + middle, records=only.records[middle:])
        return [left], [right]
    return None


def refused(item: Item, status: int, text: str) -> relay.DeadItem | None:
    """The dead letter of one item that the API refused alone; None when it was a dead letter already."""
    detail = f"the telemetry API refused it with {status}: {text[:500]}"
    match item:
        case relay.BatchItem(robot_id, stream, first, records):
            last = first + len(records) - 1
            body = bytes(records[0]) if records else b""
            topic = topics.build(topics.UpBatch(robot_id, stream, first, last))
            return _dead("refused", detail, topic, body, robot_id=robot_id, stream=stream, first=first, last=last)
        case relay.PlainItem(robot_id, body, number):
            topic = topics.build(topics.UpTelemetry(robot_id))
            return _dead("refused", detail, topic, bytes(body), robot_id=robot_id, number=number)
        case relay.VehicleItem(topic, body, number):
            return _dead("refused", detail, topic, bytes(body), number=number)
        case relay.PresenceItem(robot_id, presence):
            topic = topics.build(topics.UpPresence(robot_id))
            return _dead("refused", detail, topic, messages.encode(presence), robot_id=robot_id)
        case relay.AnswerItem(robot_id, outgoing_id, answer):
            topic = topics.build(topics.UpAnswer(robot_id, outgoing_id))
            return _dead("refused", detail, topic, messages.encode(answer), robot_id=robot_id)
        case _:
            return None


class AckMerger:
    """Collects acknowledgements of several commits and makes one publish a robot and stream of them. Exact: only unions."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], tuple[list[ranges.Range], list[ranges.Range]]] = {}

    def add(self, acks: Iterable[relay.RobotAck]) -> None:
        """Take in what one commit accounted for."""
        for robot_ack in acks:
            stored, dead = self._waiting.setdefault((robot_ack.robot_id, robot_ack.ack.stream), ([], []))
            stored.extend(robot_ack.ack.stored)
            dead.extend(robot_ack.ack.dead)

    def take(self) -> list[Publish]:
        """What is to be published now; nothing is waiting afterwards."""
        waiting, self._waiting = self._waiting, {}
        return [
            Publish(
                topics.build(topics.DownAck(robot_id)),
                messages.encode(Ack(stream=stream, stored=list(ranges.normalise(stored)), dead=list(ranges.normalise(dead)))),
            )
            for (robot_id, stream), (stored, dead) in waiting.items()
        ]


def outgoing(due: relay.Due) -> list[Publish]:
    """The publishes of rows that are due."""
    return [Publish(topics.build(topics.DownOutgoing(row.robot_id)), messages.encode(row.outgoing)) for row in due.rows]


def _read_batch(topic: topics.UpBatch, text: str, payload: bytes) -> list[Item]:
    robot_id, stream, first, last = topic.robot_id, topic.stream, topic.first, topic.last
    try:
        _check_size(payload, MAX_PUBLISH_BYTES)
        body = batch.unpack(payload, last - first + 1)
    except Refused as error:
        return [_dead(error.reason, str(error), text, payload, robot_id=robot_id, stream=stream, first=first, last=last)]

    def item(start: int, records: list[msgspec.Raw]) -> relay.BatchItem:
        return relay.BatchItem(
            robot_id=robot_id,
            stream=stream,
            first=start,
            records=records,
            prev=body.prev,
            prev_last=body.prev_last,
            historical=body.historical,
        )

    sound = 0 if isinstance(body, batch.Parted) else _all_sound(body.records)
    if 0 < sound <= ITEM_BYTES:
        return [item(first, body.records)]
    items: list[Item] = []
    run: list[msgspec.Raw] = []
    run_bytes = 0
    for seq, record in enumerate(body.records, start=first):
        fault = None if sound else _fault_of(record)
        size = len(bytes(record))
        if run and (fault is not None or run_bytes + size > ITEM_BYTES):
            items.append(item(seq - len(run), run))
            run, run_bytes = [], 0
        if fault is None:
            run.append(record)
            run_bytes += size
        else:
            items.append(_dead(fault.reason, str(fault), text, bytes(record), robot_id=robot_id, stream=stream, first=seq, last=seq))
    if run:
        items.append(item(last + 1 - len(run), run))
    return items


def _all_sound(records: list[msgspec.Raw]) -> int:
    """Bytes of all records, which are JSON, when it can be said at once that `_fault_of` finds nothing in any; 0: look closely."""
    raws = [bytes(record) for record in records]
    if max(map(len, raws)) > MAX_RECORD_BYTES:
        return 0
    joined = b",".join(raws)
    # Each round takes the innermost pairs away. A bracket within a text may spoil that, and then one looks closely.
    brackets = joined.translate(_ONE_KIND, NOT_BRACKETS)
    for _ in range(MAX_NESTING):
        if not brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return 0 if brackets else len(joined)


def _fault_of(record: msgspec.Raw) -> Refused | None:
    """Why a record cannot be embedded in a relay. All other rules are the API's to judge."""
    try:
        batch.check_size(record)
        _raw.decode(record)
        # Inside a relay, one row that is nested deeply would make the API refuse all the others with it.
        check_depth(bytes(record))
    except Refused as error:
        return error
    except _unreadable as error:
        try:
            messages.decode_record(record)
        except Refused as told:
            return told
        return Refused("bad_json", f"record: {error}")
    return None


def _read_plain(robot_id: str, topic: str, payload: bytes, delivery: Delivery) -> Item:
    try:
        batch.check_size(payload)
        _raw.decode(payload)
        check_depth(payload)
    except Refused as error:
        why = error
    except _unreadable as error:
        why = Refused("bad_json", f"body: {error}")
        try:
            messages.decode_telemetry(payload)
        except Refused as told:
            why = told
    else:
        return relay.PlainItem(robot_id, msgspec.Raw(payload), delivery.number, delivery.packet, delivery.again)
    return _dead(why.reason, str(why), topic, payload, robot_id=robot_id, number=delivery.number)


def _read_vehicle(topic: str, payload: bytes, delivery: Delivery) -> Item:
    """As far as it can be embedded in a relay; whose it is, and whether it says so, is the API's to judge."""
    try:
        _check_size(payload, MAX_PUBLISH_BYTES)
        _raw.decode(payload)
        check_depth(payload)
    except Refused as why:
        return _dead(why.reason, str(why), topic, payload, number=delivery.number)
    except _unreadable as error:
        return _dead(*explain(error, payload, key_type=str, value_type=Any), topic, payload, number=delivery.number)
    return relay.VehicleItem(topic, msgspec.Raw(payload), delivery.number, delivery.packet, delivery.again)


def _check_size(payload: bytes, most: int) -> None:
    if len(payload) > most:
        raise Refused("too_large", f"body: {len(payload)} bytes, at most {most}")


def _why(what: str, error: Exception, payload: bytes) -> tuple[str, str]:
    """Reason and sentence of a small message that breaks a rule."""
    if isinstance(error, Refused):
        return error.reason, f"{what}: {error}"
    reason, sentence = explain(error, payload, key_type=str, value_type=Any)
    return reason, f"{what}: {sentence}"


def _robot_of(topic: str) -> str | None:
    levels = topic.split("/", 3)
    return levels[2] if len(levels) > 2 and topics.ROBOT_ID.fullmatch(levels[2]) else None


def _dead(
    reason: str,
    detail: str,
    topic: str,
    body: bytes,
    *,
    robot_id: str | None = None,
    stream: str | None = None,
    first: int | None = None,
    last: int | None = None,
    number: int = 0,
) -> relay.DeadItem:
    return relay.DeadItem(
        reason=reason,
        detail=detail[:1000].encode("utf-8", "backslashreplace").decode(),
        topic=topic[:512].encode("utf-8", "backslashreplace").decode(),
        body=body[:KEPT_BYTES],
        robot_id=robot_id,
        stream=stream,
        first=first,
        last=last,
        number=number,
        hash=batch.payload_hash(body) if len(body) > KEPT_BYTES else "",
    )

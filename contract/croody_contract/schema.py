"""JSON schemas of every payload, generated from the structs. `python -m croody_contract.schema DIR` writes them."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from croody_contract import messages

PAYLOADS: dict[str, type[msgspec.Struct]] = {
    "reading": messages.Reading,
    "event": messages.Event,
    "window": messages.Window,
    "tombstone": messages.Tombstone,
    "born": messages.Born,
    "snapshot": messages.Snapshot,
    "log": messages.Log,
    "evidence": messages.Evidence,
    "flow": messages.Conversation,
    "telemetry": messages.Telemetry,
    "ack": messages.Ack,
    "presence": messages.Presence,
    "outgoing": messages.Outgoing,
    "resend": messages.Resend,
    "logs": messages.Logs,
    "answer": messages.Answer,
}


class Batch(msgspec.Struct, omit_defaults=True):
    """Body of `up/batch`: every record from `first` to `last` of the topic, in order."""

    records: list[messages.Record]
    prev: messages.Stream | None = None
    prev_last: int | None = None
    historical: bool = False


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> JSON schema (draft 2020-12)."""
    return {f"{name}.json": msgspec.json.schema(kind) for name, kind in {**PAYLOADS, "batch": Batch}.items()}


def render(schema: dict[str, Any]) -> str:
    """The text of a schema file."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Write every schema into the directory given."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(render(schema), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The committed JSON schemas are those of the structs."""

from pathlib import Path

from croody_contract import schema

FOLDER = Path(__file__).parents[2] / "contract" / "schema"


def test_the_committed_schemas_are_what_the_structs_say():
    wanted = {name: schema.render(one) for name, one in schema.schemas().items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert found == wanted, "run: python -m croody_contract.schema contract/schema"


def test_every_payload_of_the_link_has_a_schema():
    assert {
        "reading",
        "event",
        "window",
        "tombstone",
        "born",
        "snapshot",
        "log",
        "ack",
        "presence",
        "outgoing",
        "logs",
        "answer",
        "batch",
        "telemetry",
    } <= {path.stem for path in FOLDER.glob("*.json")}

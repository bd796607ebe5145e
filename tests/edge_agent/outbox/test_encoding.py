"""A record is checked, encoded and read back once, when it is kept."""

import re
from typing import Any

import pytest

from croody_contract.messages import Event, Position, Reading, Record, Window, decode_record
from croody_edge.outbox.encoding import checked
from tools.stack import ROOT

NAN = float("nan")
anything: Any = object()


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (Reading(data={"temp_c": NAN}), "data.temp_c: nan is not finite"),
        (Reading(data={}, position=Position(4.6, -74.1, NAN)), "position.alt: nan is not finite"),
        (Reading(data={"temp_c": anything}), "object"),
        (Reading(data={"temp_c": None}), "data.temp_c: null breaks the rule"),  # type: ignore[dict-item]
        (Reading(data={"": 1}), "data key"),
        (Reading(data={}, status="\x00"), "status: holds the character U\\+0000"),
        (Reading(data=anything), "no record"),
        (Event(code="Bad Code"), "code: .* breaks the rule"),
        (Event(code="bumped", severity="dire"), "severity"),  # type: ignore[arg-type]
        (Window(model="m", score=2, suspect=True, names=[], features=[]), "score: 2 breaks the rule"),
        (Reading(data={str(n): "x" * 1000 for n in range(200)}), "bytes, at most"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_field(record: Record, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checked(record)


def test_what_is_kept_reads_back_as_it_was() -> None:
    record = Reading(data={"temp_c": 0.1, "ok": True, "mode": "café"}, position=Position(4.6, -74.1), status="moving")
    kept = checked(record)
    assert (decode_record(kept.body), kept.low) == (record, True)


def test_nothing_else_of_the_edge_reads_a_record_back() -> None:
    package = ROOT / "edge_agent" / "croody_edge"
    readers = {path for path in package.rglob("*.py") if re.search(r"\b(decode_record|parse_record)\b", path.read_text(encoding="utf-8"))}
    assert {path.relative_to(package).as_posix() for path in readers} == {"outbox/encoding.py"}

"""The table against the standards: no number is left out, none stands twice, and what it calls evidence is there."""

import re
from collections import Counter

import pytest

from tools.stack import ROOT

PAGE = ROOT / "docs" / "reference" / "security-standards.md"
_ROW = re.compile(r"^\| (\d[\d.A-C, -]*?) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_PATH = re.compile(r"`([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*\.(?:py|md|txt|yml|html|js|conf|template)|[a-z_]+(?:/[a-z_]+)+|\.ci/run)`")
#: Provision clause -> its numbers, of V3.1.3.
ETSI = {
    "5.0": "1",
    "5.1": "1 2 2A 3 4 5",
    "5.2": "1 2 3",
    "5.3": "1 2 3 4A 4B 5 6A 6B 7 8 9 10 11 12 13 14 15A 15B 16",
    "5.4": "1 2 3 4",
    "5.5": "1 2 3 4 5 6 7 8",
    "5.6": "1 2 3 4A 4B 5 6 7 8 9",
    "5.7": "1 2",
    "5.8": "1 2 3",
    "5.9": "1 2 3",
    "5.10": "1",
    "5.11": "1 2 3 4",
    "5.12": "1 2 3",
    "5.13": "1A 1B",
    "6": "1 2 3A 3B 4 5 6 7 8",
}
#: Section -> how many of its requirements are of level 1 or 2; they are numbered from 1.
ASVS = (
    "1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4 "
    "5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 "
    "8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 "
    "11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 "
    "16.1:1 16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2 "
)
EVERY = {f"{clause}-{number}" for clause, numbers in ETSI.items() for number in numbers.split()} | {
    f"{section}.{number}" for section, count in (pair.split(":") for pair in ASVS.split()) for number in range(1, int(count) + 1)
}


def rows() -> list[tuple[list[str], str]]:
    return [(numbers.split(", "), said) for numbers, _, said in _ROW.findall(PAGE.read_text(encoding="utf-8"))]


def test_every_requirement_has_its_line_and_none_has_two():
    found = Counter(number for numbers, _ in rows() for number in numbers)
    assert set(found) == EVERY
    assert [number for number, count in found.items() if count > 1] == []


@pytest.mark.parametrize(("numbers", "said"), rows(), ids=lambda value: value[0] if isinstance(value, list) else "")
def test_a_line_names_evidence_that_is_there_or_says_plainly_what_is_missing(numbers: list[str], said: str):
    verdict, _, rest = said.partition("**: ")
    assert verdict in {"**met", "**in part", "**not met", "**n/a"}, said
    assert rest.strip(), "say why"
    named = _PATH.findall(rest)
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert named or verdict in {"**not met", "**n/a"}, "name a file or a test of ours"

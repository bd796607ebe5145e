"""Reads NSL-KDD's text files: 41 features, the attack's name, a difficulty. Knows its attack names and their classes.

NSL-KDD: M. Tavallaee, E. Bagheri, W. Lu, A. Ghorbani, "A Detailed Analysis of the KDD CUP 99 Data Set", 2009.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from croody.detection.nslkdd.features import BENIGN, FEATURES, NAMES, WORDS, encode

#: Attack names of the training file and of the test files (which bring 17 that training lacks).
CLASS_OF = {
    name: kind
    for kind, names in {
        "dos": "back land neptune pod smurf teardrop apache2 mailbomb processtable udpstorm worm",
        "probe": "ipsweep nmap portsweep satan mscan saint",
        "r2l": "ftp_write guess_passwd imap multihop phf spy warezclient warezmaster named sendmail snmpgetattack snmpguess xlock xsnoop",
        "u2r": "buffer_overflow loadmodule perl rootkit httptunnel ps sqlattack xterm",
        BENIGN: BENIGN,
    }.items()
    for name in names.split()
}

Row = dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in the order of the file; `matrix` is `features.encode`'s, with `vocabulary`."""

    rows: list[Row]
    attacks: NDArray[np.str_]
    classes: NDArray[np.str_]
    sha256: str
    read: int

    @property
    def is_attack(self) -> NDArray[np.bool_]:
        """Shape (n,)."""
        return np.asarray(self.classes != BENIGN)

    def matrix(self, vocabulary: dict[str, list[str]]) -> NDArray[np.float64]:
        """Shape (n, 41)."""
        return encode(list(self.rows), vocabulary)


def read(path: Path, *, deduplicate: bool) -> Table:
    """Read a file. Deduplicating keeps the first of equal feature rows and drops those whose labels contradict each other.

    Raises:
        ValueError: a line that is not of the format, with its number.
    """
    data = path.read_bytes()
    parsed: list[tuple[tuple[str, ...], str]] = []
    for number, line in enumerate(data.decode("ascii").splitlines(), start=1):
        parts = line.strip().split(",")
        if len(parts) not in (len(NAMES) + 1, len(NAMES) + 2) or parts[len(NAMES)] not in CLASS_OF:
            raise ValueError(f"{path}:{number}: expected {len(NAMES)} features, a known attack name and perhaps a difficulty")
        parsed.append((tuple(parts[: len(NAMES)]), parts[len(NAMES)]))
    kept = parsed
    if deduplicate:
        labels: dict[tuple[str, ...], set[str]] = {}
        for features, attack in parsed:
            labels.setdefault(features, set()).add(CLASS_OF[attack])
        first = dict(reversed(parsed))
        kept = [(features, first[features]) for features, kinds in labels.items() if len(kinds) == 1]
    rows: list[Row] = [
        {f.name: value if f.kind == "word" else float(value) for f, value in zip(FEATURES, features, strict=True)} for features, _ in kept
    ]
    attacks = np.array([attack for _, attack in kept])
    classes = np.array([CLASS_OF[attack] for attack in attacks])
    return Table(rows, attacks, classes, hashlib.sha256(data).hexdigest(), len(parsed))


def vocabulary(table: Table) -> dict[str, list[str]]:
    """The words of each category in the training file, sorted."""
    return {name: sorted({str(row[name]) for row in table.rows}) for name in WORDS}


def usual_values(table: Table, chosen: NDArray[np.int64]) -> Row:
    """What stands in for a missing value: the benign median, for words the most frequent one."""
    out: Row = {}
    for feature in FEATURES:
        values = [table.rows[index][feature.name] for index in chosen]
        if feature.kind == "word":
            words, counts = np.unique([str(value) for value in values], return_counts=True)
            out[feature.name] = str(words[counts.argmax()])
        else:
            out[feature.name] = float(np.median(np.array(values, dtype=np.float64)))
    return out

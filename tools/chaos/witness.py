"""What the simulator's witness file says: every reading whose publish returned, with the hash of its bytes."""

from dataclasses import dataclass
from pathlib import Path

#: (robot_id, stream, seq)
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Witness:
    """Key -> hash. `clashes` are keys that two lines give two hashes: a key was used twice at the source."""

    hashes: dict[Key, str]
    clashes: tuple[Key, ...]


def read(paths: list[Path]) -> Witness:
    """Read witness files; a last line without its end (the simulator was killed in it) is not a witness."""
    hashes: dict[Key, str] = {}
    clashes: list[Key] = []
    for path in paths:
        if not path.exists():
            continue
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            robot_id, stream, seq, digest = line.split()
            key = (robot_id, stream, int(seq))
            if hashes.setdefault(key, digest) != digest:
                clashes.append(key)
    return Witness(hashes, tuple(clashes))

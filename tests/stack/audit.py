"""What a witness outside the system saw being published, compared with what stands in the database. By SQL, not by our own API."""

from dataclasses import dataclass
from pathlib import Path

from tests.stack.system import System
from tools.chaos.witness import Key, read


@dataclass(frozen=True, slots=True)
class Audit:
    """`altered` stand there with another payload than the one that was published; `doubled` more than once."""

    published: set[Key]
    stored: set[Key]
    lost: set[Key]
    altered: set[Key]
    doubled: int
    dead: int


def audit(system: System, witness: Path) -> Audit:
    """Of the streams that the witness knows: others send too."""
    seen = read([witness])
    assert not seen.clashes, "a key was used twice at the source"
    streams = {(robot_id, stream) for robot_id, stream, _ in seen.hashes}
    rows = system.sql("select robot_id, stream, seq, hash from telemetry_record where stream not in ('http', 'mqtt')")
    found = [((robot_id, stream, int(seq)), digest) for robot_id, stream, seq, digest in rows if (robot_id, stream) in streams]
    stored = dict(found)
    return Audit(
        published=set(seen.hashes),
        stored=set(stored),
        lost=seen.hashes.keys() - stored.keys(),
        altered={key for key, digest in seen.hashes.items() if stored.get(key, digest) != digest},
        doubled=len(found) - len(stored),
        dead=int(system.sql("select count(*) from telemetry_deadletter")[0][0]),
    )

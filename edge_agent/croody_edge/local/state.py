"""How an agent is at the moment, for people and programs on its board. Pure."""

from msgspec import Struct, field

from croody_contract.messages import Value


class Fault(Struct, frozen=True):
    """Something that is wrong since a while: its code, the source it is of if any, its cause, and what it has cost."""

    code: str
    about: str
    cause: str
    count: int


class SourceState(Struct, frozen=True):
    """A source by its name among the agent's: how long ago it said something, seconds; None: never. `cause`: why it is away, if it is."""

    name: str
    age_s: float | None
    cause: str = ""


class State(Struct, frozen=True):
    """A moment of an agent. Times are unix seconds."""

    robot_id: str
    agent: str
    pid: int
    started_s: float
    now_s: float
    #: Why nothing reaches the cloud; empty while something would.
    trouble: str
    #: When the other side last answered, or a try to reach it last ended; seconds before now.
    pulse_age_s: float
    #: When the cloud last said that it has something; 0 before it did.
    proven_s: float
    pending: int
    stream: str
    last_seq: int
    faults: list[Fault] = field(default_factory=list)
    #: The newest value of each metric, and when it was read.
    values: dict[str, Value] = field(default_factory=dict)
    read_s: float = 0.0
    #: When each of them was read.
    values_s: dict[str, float] = field(default_factory=dict)
    sources: list[SourceState] = field(default_factory=list)
    #: What the oldest record that waits says of its time; 0 where it says none, or nothing waits.
    oldest_s: float = 0.0
    log: list[str] = field(default_factory=list)

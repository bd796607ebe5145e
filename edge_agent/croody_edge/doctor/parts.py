"""What the agent is made of besides the way out: the model that screens, and the sources. Each is really loaded and opened."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final

from croody_contract.profiles import Refused
from croody_edge.doctor.board import existing
from croody_edge.doctor.finding import Finding, ok, skipped, wrong
from croody_edge.local.rules.config import FILE as RULES
from croody_edge.local.rules.config import read as read_rules
from croody_edge.local.state import State
from croody_edge.screen import card
from croody_edge.screen.learned import files
from croody_edge.settings import Settings
from croody_edge.sources import PushSource, Said
from croody_edge.sources.config import choose, file_of
from croody_edge.sources.rack import Configured
from croody_edge.texts import text
from croody_edge.variables import BadSetting

#: How long a source may take to open and say something, seconds.
_OPEN_S: Final = 10.0


def model(path: Path = card.SENSORS_CARD) -> Finding:
    """Whether the model is whole, loads and gives the answer that its card says."""
    try:
        read = card.read(path)
        read.model_bytes()
        from croody_edge.screen.tflite import Scorer

        Scorer(read)
    except ImportError as error:
        return wrong("model", text("doctor.model_runtime", error=error))
    except card.ModelRefused as error:
        return wrong("model", str(error))
    return ok("model", text("doctor.model", name=read.name, sha256=read.sha256[:12]))


def profile(folder: Path, now: float) -> Iterator[Finding]:
    """What was learned of this robot's sensors, and how old it is; nothing before that.

    Args:
        folder: the agent's own.
        now: unix seconds.
    """
    if not (folder / files.PROFILE).exists():
        return
    try:
        found = files.read(folder)
    except Refused as error:
        yield wrong("profile", str(error))
        return
    if found is not None:
        days = files.age_days(found, now)
        said = text("doctor.profile", name=found.name(), days=int(days), metrics=len(found.metrics))
        yield ok("profile", said if days <= files.OLD_DAYS else f"{said}; {text('profile.old', most=files.OLD_DAYS)}")


def sources(settings: Settings, environ: Mapping[str, str], now: float) -> Iterator[Finding]:
    """Whether each source can be opened; asked for one reading, which goes nowhere and leaves no trace: what is read again is read whole.

    Args:
        settings: of the agent.
        environ: for settings of their own.
        now: unix seconds.
    """
    with ExitStack() as stack:
        try:
            nowhere = Path(stack.enter_context(TemporaryDirectory(prefix="croody-doctor-", ignore_cleanup_errors=True)))
        except OSError:  # Nothing can be written anywhere: so no trace is left in the agent's folder, either.
            nowhere = existing(settings.edge_dir)
        yield from _each(replace(settings, edge_dir=nowhere, sources_file=file_of(settings)), environ, now)


def _each(settings: Settings, environ: Mapping[str, str], now: float) -> Iterator[Finding]:
    try:
        chosen = choose(settings, environ)
    except BadSetting as error:
        yield wrong("source", str(error))
        return
    yield from (wrong("source", problem) for problem in chosen.problems)
    for one in chosen.sources:
        said: Queue[Finding] = Queue()
        # In a thread of its own: what hangs must not hang the doctor.
        Thread(target=lambda one=one, said=said: said.put(_opened(one, now)), daemon=True).start()
        try:
            yield said.get(timeout=_OPEN_S)
        except Empty:
            yield wrong("source", text("doctor.source_hangs", name=one.name, seconds=_OPEN_S))


def _opened(one: Configured, now: float) -> Finding:
    try:
        source = one.opens()
        try:
            if isinstance(source, PushSource):
                source.start(_Nobody())
                said = text("doctor.source_began", name=one.name)
            else:
                said = text("doctor.source_read" if source.read(now) else "doctor.source_quiet", name=one.name)
        finally:
            source.close()
    except (OSError, BadSetting) as error:
        return wrong("source", text("doctor.source_failed", name=one.name, error=error))
    return ok("source", said)


class _Nobody:
    """Takes what a source hands over, and keeps nothing."""

    def __call__(self, said: Said) -> bool:
        return True

    def failed(self, cause: str, *, ended: bool = False) -> None:
        """Nobody is told."""


def sources_of(agent: State, settings: Settings, now: float) -> Iterator[Finding]:
    """What a running agent says of its sources, which are not opened a second time: a serial line has one reader."""
    failing = [fault for fault in agent.faults if fault.code.startswith("source_")]
    for fault in failing:
        yield wrong("source", text("doctor.source_failed", name=fault.about or settings.source, error=fault.cause))
    if agent.read_s:
        yield ok("source", text("doctor.source_agent", age=timedelta(seconds=max(0, round(now - agent.read_s)))))
    elif not failing:
        yield skipped("source", text("doctor.source_unread"))


def rules(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the rules on the board; nothing where there are none."""
    file = settings.rules_file or settings.edge_dir / RULES
    written = read_rules(file, hooks=settings.local_hooks)
    yield from (wrong("rules", problem) for problem in written.problems)
    if written.rules:
        yield ok("rules", text("doctor.rules", count=len(written.rules), file=file))


def no_model() -> Finding:
    """Where the agent is told to screen nothing."""
    return skipped("model", text("doctor.model_off"))

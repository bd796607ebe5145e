"""What the pages about deliveries say, in one language. Asks no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.commands.models import Outgoing
from croody.console import letters
from croody.console.delivery.facts import Gap, Listed, Lost, One
from croody.console.robot.words.lines import REASONS
from croody.liveness.judge import State
from croody.telemetry.models import DeadLetter
from croody.telemetry.read.proof import Line, Sums
from croody.web import formats
from croody_contract import ranges
from croody_contract.ranges import Ranges

#: Ranges of one cell that are spelled out.
_SPANS: Final = 6
_THERE: Final = (State.ONLINE, State.MOVING, State.STALE, State.FAULTED)


@dataclass(frozen=True, slots=True)
class Row:
    """A robot in the list. `sign`: `gap`, `gone` or nothing."""

    robot_id: str
    label: str
    share: str
    stored: str
    missing: str
    gaps: str
    dropped: str
    dead: str
    sign: str


def row(one: Listed, language: str) -> Row:
    """One robot."""
    sums = one.sums
    sign = "gap" if sums.missing else "gone" if sums.dropped else ""
    gaps = ngettext("%(count)s hueco", "%(count)s huecos", sums.gaps) % {"count": _number(sums.gaps, language)} if sums.missing else ""
    share = formats.percent(sums.stored, one.expected, language) if one.expected else formats.NEVER
    return Row(
        one.robot_id,
        one.label,
        share,
        _number(sums.stored, language) if one.expected else formats.NEVER,
        _some(sums.missing, language),
        gaps,
        _some(sums.dropped, language),
        _some(sums.dead, language),
        sign,
    )


def sentence(robots: Sequence[Listed], language: str) -> str:
    """The answer, as the head of the list."""
    if not robots:
        return _("Aún no hay robots")
    lacking = [one for one in robots if one.sums.missing]
    if not lacking:
        return _("No falta nada")
    missing = sum(one.sums.missing for one in lacking)
    records = ngettext("Falta %(count)s registro", "Faltan %(count)s registros", missing) % {"count": _number(missing, language)}
    told = {"records": records, "count": _number(len(lacking), language)}
    return ngettext("%(records)s, de %(count)s robot", "%(records)s, de %(count)s robots", len(lacking)) % told


def aside(robots: Sequence[Listed], language: str) -> str:
    """Below the head: how much there is in all."""
    stored, dropped = sum(one.sums.stored for one in robots), sum(one.sums.dropped for one in robots)
    text = ngettext("%(count)s registro numerado, guardado", "%(count)s registros numerados, guardados", stored)
    told = [text % {"count": _number(stored, language)}]
    if dropped:
        lost = ngettext("%(count)s que su robot declaró perdido", "%(count)s que su robot declaró perdidos", dropped)
        told.append(lost % {"count": _number(dropped, language)})
    return " · ".join(told)


def of_robot(one: One, language: str) -> str:
    """The head of a robot's page."""
    told = {"robot": one.robot.pk, "count": _number(one.sums.missing, language)}
    if one.sums.missing:
        return ngettext("A %(robot)s le falta %(count)s registro", "A %(robot)s le faltan %(count)s registros", one.sums.missing) % told
    if one.sums.dead:
        told["count"] = _number(one.sums.dead, language)
        text = ngettext(
            "%(count)s registro de %(robot)s no se pudo guardar", "%(count)s registros de %(robot)s no se pudieron guardar", one.sums.dead
        )
        return text % told
    if not (one.sums.stored or one.sums.dead or one.sums.dropped):
        return _("%(robot)s no numera lo que envía: nada prueba qué falta") % told
    return _("A %(robot)s no le falta nada") % told


@dataclass(frozen=True, slots=True)
class GapRow:
    """A hole: which numbers, between which times, what was done about it and how that goes."""

    gap: Gap
    count: str
    asked: str
    progress: str


def gap_row(gap: Gap, state: State, now: datetime, language: str) -> GapRow:
    """One hole that may still be filled."""
    progress = ""
    if gap.stalled_since is not None:
        progress = _("nada nuevo desde hace %(age)s") % {"age": formats.age_of(gap.stalled_since, now)}
    return GapRow(gap, _number(gap.hole.count, language), _asked(gap.request, state, now), progress)


def _asked(request: Outgoing | None, state: State, now: datetime) -> str:
    if request is None or (request.answered_at is None and request.expires_at <= now):
        return _("se pide en unos segundos") if state in _THERE else _("se pedirá cuando el robot vuelva")
    told = {"age": formats.age_of(request.created_at, now)}
    if request.answered_at is not None:
        told["age"] = formats.age_of(request.answered_at, now)
        return _("el robot contestó hace %(age)s; se pide otra vez si sigue faltando") % told
    if request.answer_state == "received":
        return _("pedido hace %(age)s; el robot lo está enviando") % told
    if request.sent_at is not None:
        return _("pedido hace %(age)s; sin respuesta todavía") % told
    return _("pedido hace %(age)s; aún no sale") % told


@dataclass(frozen=True, slots=True)
class LostRow:
    """Numbers that will never come."""

    lost: Lost
    count: str
    reason: str


def lost_row(lost: Lost, language: str) -> LostRow:
    """One such span."""
    return LostRow(lost, _number(lost.hole.count, language), str(REASONS.get(lost.reason, lost.reason)) or formats.NEVER)


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A stream as the ledger has it."""

    stream: str
    last: str
    stored: str
    missing: str
    dropped: str
    dead: str
    earlier: bool


def stream_row(found: Mapping[str, Any], language: str) -> StreamRow:
    """One stream."""
    return StreamRow(
        found["stream"],
        _number(found["last_seq"], language),
        _number(found["stored"], language),
        _some(ranges.count(found["missing"]), language),
        _some(ranges.count(found["dropped"]), language),
        _some(found["dead_letters"], language),
        bool(found.get("earlier")),
    )


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A dead letter. `place`: its numbers; `waits`: it was not played again."""

    letter: DeadLetter
    reason: str
    place: str
    count: str
    waits: bool


def letter_row(letter: DeadLetter, language: str) -> LetterRow:
    """One letter."""
    place = spans(((letter.first, letter.last),), language) if letter.first else formats.NEVER
    count = _number(letter.count, language) if letter.count > 1 else ""
    return LetterRow(letter, letters.reason(letter), place, count, letter.replayed_at is None)


@dataclass(frozen=True, slots=True)
class LineRow:
    """A stream of a proof."""

    line: Line
    first: str
    last: str
    expected: str
    stored: str
    missing: str
    dropped: str
    dead: str


def line_row(line: Line, language: str) -> LineRow:
    """One stream: how many, and which where they are not stored."""
    return LineRow(
        line,
        _number(line.first, language),
        _number(line.last, language),
        _number(line.expected, language),
        _number(ranges.count(line.stored), language),
        _which(line.missing, language),
        _which(line.dropped, language),
        _which(line.dead, language),
    )


def proven(robot_id: str, sums: Sums, language: str) -> str:
    """The head of a proof."""
    told = {"robot": robot_id, "share": formats.percent(sums.stored, sums.expected, language) if sums.expected else ""}
    if not sums.expected:
        return _("De %(robot)s no hay nada numerado en este periodo") % told
    return _("De %(robot)s se guardó el %(share)s de este periodo") % told


def totals(sums: Sums, language: str) -> list[tuple[str, str]]:
    """Name and number of each sum of a proof."""
    named = (
        (_("Series"), sums.streams),
        (_("Numerados por el robot"), sums.expected),
        (_("Guardados"), sums.stored),
        (_("Faltan"), sums.missing),
        (_("Declarados perdidos"), sums.dropped),
        (_("Cartas muertas"), sums.dead),
    )
    return [(name, _number(count, language)) for name, count in named]


def spans(found: Ranges, language: str) -> str:
    """`5-9, 12` and how many more there are."""
    shown = ", ".join(_number(first, language) if first == last else f"{first}-{last}" for first, last in found[:_SPANS])
    more = len(found) - _SPANS
    return shown + (" " + _("y %(count)s más") % {"count": _number(more, language)} if more > 0 else "")


def _which(found: Ranges, language: str) -> str:
    return f"{_number(ranges.count(found), language)} ({spans(found, language)})" if found else "0"


def _number(count: int, language: str) -> str:
    return formats.number(count, 0, language)


def _some(count: int, language: str) -> str:
    return _number(count, language) if count else "0"

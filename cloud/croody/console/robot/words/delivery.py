"""What came of what it said: its day in cells, what still lies on it, and what could not be stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.console import letters
from croody.console.robot.facts import Now, Queue
from croody.live.picture import Text
from croody.monitor import words as monitor
from croody.telemetry.models import DeadLetter
from croody.telemetry.read.day_cells import CELL_S, Cell, Day
from croody.web import formats

#: Fewer records than this are on their way, and no queue.
_WORTH: Final = 50
SIGNS: Final[Mapping[str, str | Promise]] = {
    "": gettext_lazy("nada numerado"),
    "whole": gettext_lazy("completo"),
    "late": gettext_lazy("rellenado después"),
    "missing": gettext_lazy("faltan, pedidas de nuevo"),
    "lost": gettext_lazy("perdidas"),
}


@dataclass(frozen=True, slots=True)
class Square:
    """A cell of the day."""

    sign: str
    x: int
    title: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """The day in cells, and what it comes to."""

    share: str
    note: str
    squares: tuple[Square, ...]
    signs: tuple[tuple[str, str], ...]
    numbers: tuple[tuple[str, str, str], ...]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A dead letter."""

    number: int
    reason: str
    detail: str
    moment: datetime
    times: str
    replayed: datetime | None


def ledger(now_: Now, day: Day, language: str) -> Ledger:
    """24 hours in cells, and the numbers of all that it ever numbered."""
    delivered = now_.entry.delivery
    squares = tuple(Square(cell.sign, 10 * index, _cell(cell, language)) for index, cell in enumerate(day.cells))
    there = {cell.sign for cell in day.cells}
    signs = tuple((sign, str(word)) for sign, word in SIGNS.items() if sign in there)

    def number(value: int) -> str:
        return formats.number(value, 0, language)

    numbers = (
        ("received", _("Recibidas"), number(delivered.received)),
        ("missing", _("Faltan ahora"), number(delivered.missing)),
        ("lost", _("Perdidas"), number(delivered.dropped)),
    )
    return Ledger(
        share=monitor.share(delivered, language),
        note=_("de todo lo que numeró, probado por secuencia") if delivered.expected else _("sin numerar: nada prueba que esté completo"),
        squares=squares,
        signs=signs,
        numbers=numbers,
        first=day.cells[0].start,
        last=day.cells[-1].start + timedelta(seconds=CELL_S),
    )


def ledger_texts(book: Ledger) -> dict[str, Text]:
    """What changes in its place with every reading: the share, the numbers, and what the last cell says."""
    return {"share": book.share, "cell": book.squares[-1].title, **{name: text for name, _word, text in book.numbers}}


def lasting(book: Ledger) -> tuple[Any, ...]:
    """What it is made of besides `ledger_texts`."""
    *earlier, last = book.squares
    return book.note, earlier, last.sign, book.signs, book.first, book.last


def _cell(cell: Cell, language: str) -> str:
    texts = {
        "from": f"{cell.start:%H:%M}",
        "to": f"{cell.start + timedelta(seconds=CELL_S):%H:%M}",
        "count": formats.number(cell.count, 0, language),
        "sign": str(SIGNS[cell.sign]),
    }
    text = ngettext("%(from)s a %(to)s UTC: %(count)s lectura, %(sign)s", "%(from)s a %(to)s UTC: %(count)s lecturas, %(sign)s", cell.count)
    return text % texts


def queue(found: Queue | None, rate: float | None, language: str) -> tuple[str, str]:
    """What still lies on the robot, and when it will be here. `rate`: records a second that it has sent of it; None: not known yet."""
    if found is None:
        return "", ""
    if not found.records:
        return _("Nada por enviar"), ""
    text = ngettext("%(count)s registro sigue en el robot", "%(count)s registros siguen en el robot", found.records)
    said = text % {"count": formats.number(found.records, 0, language)}
    if found.records < _WORTH:
        return said, ""
    if rate is None:
        return said, _("Su ritmo se sabe con su próximo latido, en unos 30 s.")
    if rate <= 0:
        return said, _("A este ritmo no llega: entra tanto como sale, o no está enviando.")
    return said, _("Al ritmo de ahora llega en %(age)s.") % {"age": formats.age(found.records / rate)}


def letter(row: DeadLetter, language: str) -> LetterRow:
    """One that could not be stored, and why; its detail is what the server wrote, whole."""
    return LetterRow(row.pk, letters.reason(row), row.detail, row.received_at, formats.number(row.count, 0, language), row.replayed_at)

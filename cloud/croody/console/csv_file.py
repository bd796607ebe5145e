"""A table as a CSV file, written out while it is read: memory is that of one page of rows, however many there are. Knows no page.

A spreadsheet takes a cell that begins like a formula for one: such text has a quote before it.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, StreamingHttpResponse

from croody.web.streamed import streamed

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = Sequence[Any]


def answer(request: HttpRequest, name: str, head: Row, pages: Iterable[Iterable[Row]]) -> StreamingHttpResponse:
    """The file.

    Args:
        name: what the browser calls it, with `.csv`.
        head: names of the columns; they are the same in every language, so that programs find them.
        pages: rows, so many at a time; the next ones are asked for when these have gone out.
    """
    body = streamed(request, _texts(head, pages))
    return StreamingHttpResponse(
        body, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def cell(value: Any) -> Any:
    """One value: times with their offset, nothing that a spreadsheet would run."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _texts(head: Row, pages: Iterable[Iterable[Row]]) -> Iterator[str]:
    yield _text([head])
    for rows in pages:
        yield _text(rows)


def _text(rows: Iterable[Row]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()

"""A table as a CSV or a Parquet file, made while it is read: memory is that of one page of rows, or of one row group. Knows no table.

A file for programs: nothing is put before a text that a spreadsheet would take for a formula, since that would be another text.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, Final, Literal, NamedTuple

import msgspec

from croody.api.errors import Wrong

Format = Literal["csv", "parquet"]
TYPES: Final = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
Row = Sequence[Any]
#: Rows of a row group, and about how many bytes of text: what is held in memory until the group is whole.
_GROUP: Final = 20_000
_GROUP_BYTES: Final = 8 * 1024 * 1024


class Column(NamedTuple):
    """A column: `kind` is what its values are. `json` values are JSON text already, or a mapping."""

    name: str
    kind: Literal["int", "float", "text", "bool", "time", "json"]


def check(form: Format) -> None:
    """Stop before a file is begun that cannot be made.

    Raises:
        Wrong: 503, pyarrow is not here, or does not load.
    """
    if form == "parquet":
        try:
            import_module("pyarrow.parquet")
        except ImportError as error:
            rule, remedy = f"pyarrow does not load on this server ({error})", "ask for format=csv"
            raise Wrong("format", form, rule, remedy, status=503) from error


def make(form: Format, columns: Sequence[Column], pages: Iterable[Sequence[Row]], *, head: bool = True) -> Iterator[bytes]:
    """The file, piece by piece. `head`: whether a CSV names its columns; a part that is put behind another one does not."""
    return _csv(columns, pages, head=head) if form == "csv" else _parquet(columns, pages)


def _csv(columns: Sequence[Column], pages: Iterable[Sequence[Row]], *, head: bool) -> Iterator[bytes]:
    if head:
        yield _lines([[column.name for column in columns]])
    for rows in pages:
        yield _lines([[_cell(value) for value in row] for row in rows])


def _lines(rows: list[list[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return msgspec.json.encode(value).decode()
    return value


class _Sink(io.RawIOBase):
    """Takes what a writer writes, until somebody carries it on."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._at

    def carried(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _parquet(columns: Sequence[Column], pages: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    # A role that exports nothing does without it: it takes some 60 MB.
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    kinds = {
        "int": arrow.int64(),
        "float": arrow.float64(),
        "text": arrow.string(),
        "bool": arrow.bool_(),
        "time": arrow.timestamp("us", tz="UTC"),
        "json": arrow.string(),
    }
    schema = arrow.schema([(column.name, kinds[column.kind]) for column in columns])
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for rows in _groups(pages):
            values = list(zip(*rows, strict=True))
            arrays = [arrow.array(map(_plain, column), field.type) for column, field in zip(values, schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            yield sink.carried()
    yield sink.carried()


def _groups(pages: Iterable[Sequence[Row]]) -> Iterator[list[Row]]:
    """Pages put together: a row group is what a reader skips or reads."""
    group: list[Row] = []
    size = 0
    for rows in pages:
        group.extend(rows)
        size += sum(len(value) for row in rows for value in row if isinstance(value, str))
        if len(group) >= _GROUP or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _plain(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value

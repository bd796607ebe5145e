"""Robots and plants that really ran: UR3 CobotOps (CC BY 4.0) and SKAB (evaluation only). Reads where they lie; copies nothing."""

import csv
import re
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree.ElementTree import iterparse
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_SHEET: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Table(NamedTuple):
    """`odd`: whether somebody said that the row is not ordinary, shape (n,)."""

    name: str
    names: list[str]
    values: Array
    odd: NDArray[np.bool_]


def ur3(folder: Path) -> Table:
    """Two hours of a cobot; odd are its protective stops and lost grips."""
    with ZipFile(folder / "dataset.xlsx") as book:
        shared = ["".join(one.itertext()) for _, one in iterparse(book.open("xl/sharedStrings.xml")) if one.tag == f"{_SHEET}si"]
        rows: list[dict[str, str]] = []
        for _, row in iterparse(book.open("xl/worksheets/sheet1.xml")):
            if row.tag != f"{_SHEET}row":
                continue
            cells = {}
            for cell in row.iter(f"{_SHEET}c"):
                value = cell.find(f"{_SHEET}v")
                if value is not None and value.text:
                    column = re.sub(r"\d", "", cell.get("r", ""))
                    cells[column] = shared[int(value.text)] if cell.get("t") == "s" else value.text
            rows.append(cells)
            row.clear()
    names = {column: name.strip() for column, name in rows[0].items()}
    labels = [column for column, name in names.items() if "stop" in name.lower() or "grip" in name.lower()]
    metrics = [column for column, name in names.items() if column not in labels and name.lower() not in ("num", "timestamp", "cycle")]
    kept = [row for row in rows[1:] if row]
    values = np.asarray([[_number(row.get(column, "")) for column in metrics] for row in kept])
    odd = np.asarray([any(row.get(column, "").lower() in ("1", "true") for column in labels) for row in kept])
    return Table("UR3", [names[column] for column in metrics], values, odd)


def skab(folder: Path) -> list[Table]:
    """A plant of valves and pumps: the healthy table first, then one a file."""
    files = [*sorted((folder / "anomaly-free").glob("*.csv")), *sorted(folder.glob("[vo]*/*.csv"))]
    return [_skab(file) for file in files]


def _skab(path: Path) -> Table:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    names = [name for name in rows[0] if name not in ("datetime", "anomaly", "changepoint")]
    values = np.asarray([[_number(row[name]) for name in names] for row in rows])
    odd = np.asarray([_number(row.get("anomaly", "0")) > 0 for row in rows])
    return Table(f"{path.parent.name}/{path.name}", names, values, odd)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")

"""Cut the excerpt that ships as the source `replay`: UR3 CobotOps (XLSX) -> CSV with units in its names. Needs openpyxl.

    python edge_agent/tools/excerpt_ur3.py dataset.xlsx edge_agent/croody_edge/sources/replay/ur3_cobotops.csv

Rows are kept as they are and in their order, from the first on, as long as the file stays under the limit. Numbers are rounded to what
such sensors give. Cells without a number are left empty.
"""

import csv
import io
import sys
from datetime import datetime
from pathlib import Path

import openpyxl

LIMIT_BYTES = 500_000
COLUMNS = [
    *((f"Current_J{joint}", f"joint{joint}_current_a", 3) for joint in range(6)),
    *(((f"Temperature_T{joint}" if joint == 0 else f"Temperature_J{joint}"), f"joint{joint}_temp_c", 2) for joint in range(6)),
    *((f"Speed_J{joint}", f"joint{joint}_speed_radps", 4) for joint in range(6)),
    ("Tool_current", "tool_current_a", 4),
    ("cycle", "cycle", 0),
    ("Robot_ProtectiveStop", "protective_stop", None),
    ("grip_lost", "grip_lost", None),
]


def main() -> None:
    """Read the workbook named first, write the CSV named second."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    sheet = openpyxl.load_workbook(source, read_only=True).worksheets[0]
    rows = sheet.iter_rows(values_only=True)
    head = [str(name or "").strip() for name in next(rows)]
    places = {name: head.index(name) for name, _, _ in COLUMNS}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["ts", *(name for _, name, _ in COLUMNS), "status", "environment"])
    for row in rows:
        moment = datetime.fromisoformat(str(row[head.index("Timestamp")]).strip('"'))
        line = io.StringIO()
        stopped = row[places["Robot_ProtectiveStop"]]
        csv.writer(line, lineterminator="\n").writerow(
            [
                moment.isoformat(timespec="milliseconds"),
                *(cell(row[places[name]], digits) for name, _, digits in COLUMNS),
                "blocked" if stopped in (True, 1) else "working",
                "cell",
            ]
        )
        if out.tell() + line.tell() > LIMIT_BYTES:
            break
        out.write(line.getvalue())
    target.write_text(out.getvalue(), encoding="utf-8")
    print(f"{target}: {out.getvalue().count(chr(10)) - 1} rows, {len(out.getvalue())} bytes")


def cell(value: object, digits: int | None) -> str:
    """One value as text; `digits` None means true or false."""
    if digits is None:
        return "" if value is None else "true" if value in (True, 1) else "false"
    if not isinstance(value, int | float):
        return ""
    return str(int(value)) if digits == 0 else str(round(float(value), digits) + 0.0)


if __name__ == "__main__":
    main()

"""A stored reading as the HTTP API shows it. Pure."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from croody.telemetry.ingest.intake import Row

ApiRow = dict[str, Any]
#: What both of these take of `telemetry_record r`, in the order of `of_columns`.
COLUMNS = "r.id, r.robot_id, coalesce(r.ts, r.at), r.data, r.lat, r.lng, r.alt, r.environment, r.status"
#: As JSON text by PostgreSQL itself, of `x` with these columns, `told` being the time and `iso` its JSON: to make Python's objects of many
#: rows costs more than to read them. PostgreSQL leaves out the zeros at a fraction's end; the field's parsers want six digits or none.
AS_JSON = """concat(
    '{"id":', x.id, ',"ts":', CASE WHEN octet_length(x.iso) IN (27, 34) THEN x.iso ELSE
        to_json(to_char(x.told, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))::text END,
    ',"data":', x.data, ',"robot_id":', to_json(x.robot_id), ',"position":', CASE WHEN x.lat IS NULL OR x.lng IS NULL THEN 'null' ELSE
        concat('{"lat":', x.lat, ',"lng":', x.lng, ',"alt":', coalesce(x.alt::text, 'null'), '}') END,
    ',"environment":', coalesce(to_json(x.environment)::text, 'null'), ',"status":', coalesce(to_json(x.status)::text, 'null'), '}'
)"""


def api_row(
    record_id: int | None, robot_id: str, at: datetime, ts: datetime | None, data: Any, place: tuple[float | None, ...], *words: str | None
) -> ApiRow:
    """The seven fields of the contract. `ts` is what the robot said, else when it was received."""
    lat, lng, alt = place
    return {
        "id": record_id,
        "ts": (ts or at).isoformat(),
        "data": data,
        "robot_id": robot_id,
        "position": None if lat is None or lng is None else {"lat": lat, "lng": lng, "alt": alt},
        "environment": words[0],
        "status": words[1],
    }


def of_row(row: Row, record_id: int | None) -> ApiRow:
    """Of a row that was just written."""
    return api_row(record_id, row.robot_id, row.at, row.ts, row.data, (row.lat, row.lng, row.alt), row.environment, row.status)


def of_columns(columns: tuple[Any, ...]) -> bytes:
    """Of `COLUMNS` as a raw cursor reads them, as JSON: `data` is JSON text and goes through verbatim."""
    record_id, robot_id, said, data, lat, lng, alt, environment, status = columns
    row = api_row(record_id, robot_id, moment(said), None, msgspec.Raw(data.encode()), (lat, lng, alt), environment, status)
    return msgspec.json.encode(row)


def aware(moment: datetime) -> datetime:
    """A time as a raw cursor reads it: SQLite's are naive and in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def moment(value: datetime | str) -> datetime:
    """A time as a raw cursor reads it, also of an expression, of which SQLite's driver does not know the type."""
    return aware(value if isinstance(value, datetime) else datetime.fromisoformat(value))

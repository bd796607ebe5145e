"""What the database itself refuses: a change of any entry, and the end of one that is younger than `YOUNG_DAYS`.

SQLite drops triggers when it makes a table anew: a migration that alters the table runs `create` again.
"""

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from croody.env import AUDIT_LEAST_DAYS as YOUNG_DAYS

_TABLE: Final = "audit_entry"
_SQLITE: Final = (
    f"""CREATE TRIGGER audit_no_change BEFORE UPDATE ON {_TABLE}
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END""",
    f"""CREATE TRIGGER audit_no_end BEFORE DELETE ON {_TABLE}
    WHEN OLD.at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-{YOUNG_DAYS} days')
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END""",
)
_POSTGRES: Final = (
    f"""CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND OLD.at <= now() - interval '{YOUNG_DAYS} days' THEN RETURN OLD; END IF;
      RAISE EXCEPTION 'the audit log is only added to';
    END $$""",
    f"CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON {_TABLE} FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
)


def create(connection: BaseDatabaseWrapper) -> None:
    """Make them."""
    _run(connection, _POSTGRES if connection.vendor == "postgresql" else _SQLITE)


def drop(connection: BaseDatabaseWrapper) -> None:
    """Take them away."""
    if connection.vendor == "postgresql":
        _run(connection, (f"DROP TRIGGER IF EXISTS audit_no_change ON {_TABLE}", "DROP FUNCTION IF EXISTS audit_refuse()"))
    else:
        _run(connection, ("DROP TRIGGER IF EXISTS audit_no_change", "DROP TRIGGER IF EXISTS audit_no_end"))


def _run(connection: BaseDatabaseWrapper, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

"""Whether telemetry's readings are where this system looks for them. Knows the two databases; moves nothing."""

from collections.abc import Callable

from django.apps import apps
from django.conf import settings
from django.db import connections

from croody import catalogue


def problem() -> str:
    """What keeps a database of telemetry's own from being used, in both languages; empty where nothing does.

    A site that has readings in its one database, and is told of a second that has none, would begin again from nothing, and say so to
    nobody.
    """
    alias = settings.TELEMETRY_DB
    if alias == "default" or _has_rows(alias) or not _has_rows("default"):
        return ""
    return " / ".join(_said(catalogue.of(language).gettext) for language in reversed(catalogue.LANGUAGES))


def _said(_: Callable[[str], str]) -> str:
    return _(
        "TG_DB_URL (o TG_DB_PATH) nombra una base de datos sin lecturas, y las de este sitio están en la suya: no se ha cambiado nada. "
        "Para llevarlas: quita TG_DB_URL, ./croody up, ./croody stop bridge croody telemetry-gateway worker, ./croody backup; "
        "pon TG_DB_URL otra vez y ./croody restore ARCHIVO"
    )


def _has_rows(alias: str) -> bool:
    connection = connections[alias]
    there = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model in apps.get_app_config("telemetry").get_models():
            if (table := model._meta.db_table) in there:
                cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # the table's own name
                if cursor.fetchone():
                    return True
    return False

"""Dead letters in the words of one language: why one could not be stored. Asks no database."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.telemetry.models import DeadLetter

#: Why something could not be stored. What is not here is shown as it is called.
DEAD: Final[Mapping[str, str | Promise]] = {
    "bad_count": gettext_lazy("el lote no trae los registros que dice"),
    "bad_gzip": gettext_lazy("no se puede descomprimir"),
    "bad_json": gettext_lazy("no es JSON"),
    "bad_picture": gettext_lazy("la imagen no es un JPEG que quepa en la regla"),
    "bad_range": gettext_lazy("un intervalo que no puede ser"),
    "bad_shape": gettext_lazy("no tiene la forma de un registro"),
    "bad_topic": gettext_lazy("un tema que no existe"),
    "bad_utf8": gettext_lazy("no es UTF-8"),
    "bad_value": gettext_lazy("un valor que no cabe en la regla"),
    "conflict": gettext_lazy("su número ya lo tiene otro registro"),
    "bad_message": gettext_lazy("ningún mensaje de su vehículo"),
    "database_refused": gettext_lazy("la base de datos no lo aceptó"),
    "dead_before": gettext_lazy("ya era carta muerta"),
    "not_finite": gettext_lazy("un número que no es finito"),
    "nul": gettext_lazy("un carácter que ninguna base guarda"),
    "out_of_range": gettext_lazy("un número fuera de lo posible"),
    "quota": gettext_lazy("más de lo que admite su cuota"),
    "refused": gettext_lazy("rompe una regla"),
    "surrogate": gettext_lazy("un carácter a medias"),
    "too_deep": gettext_lazy("demasiados niveles"),
    "too_large": gettext_lazy("demasiado grande"),
    "too_many": gettext_lazy("más cartas de las que se guardan: solo se cuentan"),
    "twice": gettext_lazy("un valor que no cabe en la regla"),
    "unknown_robot": gettext_lazy("de un robot que no existe"),
    "wrong_robot": gettext_lazy("habla en nombre de otro robot"),
}
_FIELD: Final = 64


def reason(letter: DeadLetter) -> str:
    """Why it could not be stored, and where in it that is: `un número que no es finito, en TEMP`."""
    why = str(DEAD.get(letter.reason, letter.reason))
    field, _colon, _rest = letter.detail.partition(": ")
    # `body` and the like are the whole of it.
    if not _colon or " " in field or len(field) > _FIELD or field in {"body", "record", "records"}:
        return why
    return _("%(why)s, en %(field)s") % {"why": why, "field": field}

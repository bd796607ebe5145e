"""What the browser says by itself: that the connection is lost, how old what one sees is, that the page stands still."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext


def words() -> dict[str, Any]:
    """For `live.js`, as JSON in the page. Two forms where there is a count: for one, and for others."""
    return {
        "ago": _("hace %(age)s"),
        "since": _("desde hace %(age)s"),
        "newest": _("último dato hace %(age)s"),
        "lost": _("Sin conexión con Croody desde %(clock)s."),
        "database": _("Croody no puede leer su base de datos desde %(clock)s."),
        "deaf": _("Croody no recibe a los robots desde %(clock)s."),
        "old": _("Lo que ves tiene %(age)s. Los robots guardan sus lecturas y las envían al volver."),
        "retryIn": _("Nuevo intento en %(seconds)s s"),
        "retrying": _("Intentando"),
        "back": _("Al día otra vez: cambiaron %(count)s robots."),
        "backOne": _("Al día otra vez."),
        "paused": _("Vista congelada a las %(clock)s."),
        "waiting": [
            ngettext("%(count)s cambio espera.", "%(count)s cambios esperan.", 1),
            ngettext("%(count)s cambio espera.", "%(count)s cambios esperan.", 2),
        ],
        "reorder": [
            ngettext("%(count)s cambio, reordenar", "%(count)s cambios, reordenar", 1),
            ngettext("%(count)s cambio, reordenar", "%(count)s cambios, reordenar", 2),
        ],
        "pause": _("Pausar"),
        "resume": pgettext("view", "Seguir"),
    }

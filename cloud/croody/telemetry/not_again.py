"""Why a dead letter cannot be judged again and what helps, in the reader's language: on pages and in a terminal. Asks no database."""

from django.utils.translation import gettext as _

from croody.telemetry.ingest.services import NotReplayable
from croody.telemetry.models import DeadLetter


def not_again(letter: DeadLetter, refused: NotReplayable) -> str:
    """One sentence or two."""
    told = {"number": letter.pk, "robot": letter.robot_id}
    match refused.why:
        case "replayed":
            return _("La carta %(number)s ya se volvió a juzgar: sus lecturas están guardadas.") % told
        case "conflict":
            return _("La carta %(number)s no se puede volver a juzgar: su número lo tiene otro registro. Descártala.") % told
        case "cut":
            kept = len(bytes(letter.body))
            return _(
                "La carta %(number)s no se puede volver a juzgar: de lo que no se puede leer solo se guarda el comienzo, aquí "
                "%(kept)d bytes. Corrige en el robot lo que dice su detalle, envíalo de nuevo y descarta la carta."
            ) % {**told, "kept": kept}
        case "refused":
            why = str(refused).partition(": ")[2]
            return _("La carta %(number)s rompe todavía la regla que rompía. Descártala. Lo que dice la regla: %(why)s") % {
                **told,
                "why": why,
            }
    return _("La carta %(number)s no se puede volver a juzgar: no existe el robot %(robot)s. Agrégalo primero.") % told

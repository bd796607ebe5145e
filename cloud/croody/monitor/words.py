"""What strangers are told about a robot's state. Pure but for translation: which state holds is `liveness.judge`'s business."""

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from croody.liveness.judge import State

#: Faulted and quarantined read as maintenance: strangers learn nothing to exploit.
PUBLIC: Final = {State.FAULTED: State.MAINTENANCE, State.QUARANTINED: State.MAINTENANCE}
WORDS: Final = {
    State.MAINTENANCE: _("Mantenimiento"),
    State.OFF: _("Apagado"),
    State.OFFLINE: _("Sin conexión"),
    State.STALE: _("Atrasado"),
    State.UNKNOWN: _("Sin estrenar"),
    State.MOVING: _("En marcha"),
    State.ONLINE: _("En línea"),
}
#: What a robot says it does -> what people read; a word that is not here is shown as it came.
DOING: Final = {
    "moving": pgettext_lazy("haciendo", "se mueve"),
    "idle": pgettext_lazy("haciendo", "en espera"),
    "charging": pgettext_lazy("haciendo", "cargando"),
    "working": pgettext_lazy("haciendo", "trabaja"),
    "blocked": pgettext_lazy("haciendo", "bloqueado"),
}
#: States that count as there.
THERE: Final = frozenset({State.MOVING, State.ONLINE})
#: States that ask for somebody.
TROUBLED: Final = frozenset({State.STALE, State.OFFLINE})


def public(state: State) -> State:
    """The state as the monitor shows it."""
    return PUBLIC.get(state, state)

"""What the commands say to people, in English and Spanish, chosen by LC_ALL, LC_MESSAGES or LANG."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "about": (
        "The agent on a robot board: reads a source, keeps every reading until the cloud has it, and sends it.",
        "El agente en la placa de un robot: lee una fuente, guarda cada lectura hasta que la nube la tiene, y la envía.",
    ),
    "more": (
        "Settings come from environment variables, see docs/reference/settings.md. The ones that are always needed: CROODY_BROKER_URL,"
        " ROBOT_ID, ROBOT_SECRET, CROODY_EDGE_DIR.",
        "Los ajustes vienen de variables de entorno, mira docs/reference/settings.md. Las que siempre hacen falta: CROODY_BROKER_URL,"
        " ROBOT_ID, ROBOT_SECRET, CROODY_EDGE_DIR.",
    ),
    "usage": ("usage: ", "uso: "),
    "commands": ("commands", "órdenes"),
    "options": ("options", "opciones"),
    "help": ("show this help and end", "muestra esta ayuda y termina"),
    "run": ("run the agent until it is told to stop (SIGTERM, Ctrl-C)", "ejecuta el agente hasta que se le pide parar (SIGTERM, Ctrl-C)"),
    "status": ("say what waits in the outbox", "dice qué espera en la cola de salida"),
    "json": ("as JSON", "como JSON"),
    "dir": ("where the outbox lies (default: CROODY_EDGE_DIR)", "dónde está la cola de salida (por defecto: CROODY_EDGE_DIR)"),
    "none": ("{path}: there is no outbox yet", "{path}: todavía no hay cola de salida"),
    "unreadable": ("{path}: cannot be read: {error}", "{path}: no se puede leer: {error}"),
    "robot": ("robot", "robot"),
    "link": ("link", "enlace"),
    "connected": ("connected", "conectado"),
    "offline": ("not connected", "sin conexión"),
    "silent": ("no agent is running", "no hay ningún agente en marcha"),
    "waiting": ("waiting for the cloud", "esperando a la nube"),
    "size": ("size", "tamaño"),
    "dead": ("set apart as undeliverable", "apartadas por no poder entregarse"),
    "aside": ("damaged files set aside", "archivos dañados apartados"),
    "stream": ("stream", "serie"),
    "last": ("last seq", "última seq"),
    "screen_off": (
        "screening is not available here ({error}): readings are published unscreened",
        "la revisión a bordo no está disponible aquí ({error}): las lecturas se publican sin revisar",
    ),
}


def spanish(environ: Mapping[str, str]) -> bool:
    """Say whether the user's language is Spanish."""
    chosen = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return chosen.lower().startswith("es")


def text(name: str, environ: Mapping[str, str], **values: object) -> str:
    """A text in the user's language.

    Raises:
        KeyError: no such text.
    """
    english, other = TEXTS[name]
    return (other if spanish(environ) else english).format(**values)

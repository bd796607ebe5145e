"""The agent's own command line."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "edge.commands": ("órdenes", "commands"),
    "edge.about": (
        "El agente en la placa de un robot: lee una fuente, guarda cada lectura hasta que la nube la tiene, y la envía.",
        "The agent on a robot board: reads a source, keeps every reading until the cloud has it, and sends it.",
    ),
    "edge.more": (
        "Los ajustes vienen de variables de entorno, mira docs/reference/settings.md. Las que siempre hacen falta: CROODY_BROKER_URL,"
        " ROBOT_ID, ROBOT_SECRET, CROODY_EDGE_DIR.",
        "Settings come from environment variables, see docs/reference/settings.md. The ones that are always needed: CROODY_BROKER_URL,"
        " ROBOT_ID, ROBOT_SECRET, CROODY_EDGE_DIR.",
    ),
    "edge.run": (
        "ejecuta el agente hasta que se le pide parar (SIGTERM, Ctrl-C)",
        "run the agent until it is told to stop (SIGTERM, Ctrl-C)",
    ),
    "edge.status": ("dice qué espera en la cola de salida", "say what waits in the outbox"),
    "edge.json": ("como JSON", "as JSON"),
    "edge.dir": ("dónde está la cola de salida (por defecto: CROODY_EDGE_DIR)", "where the outbox lies (default: CROODY_EDGE_DIR)"),
    "edge.screen_off": (
        "la revisión a bordo no está disponible aquí ({error}): las lecturas se publican sin revisar",
        "screening is not available here ({error}): readings are published unscreened",
    ),
    "screen.off": ("sin revisión a bordo: {why}", "screening is off: {why}"),
    "screen.unknown": (
        "el modelo conoce {known}; este robot no envía {absent}",
        "the model knows {known}; this robot does not send {absent}",
    ),
}

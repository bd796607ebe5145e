"""`croody-edge bundle`: what goes to somebody far away."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "edge.screen": (
        "dice quién escanea, inunda, adivina o suplanta en una captura: un incidente por línea",
        "says who scans, floods, guesses or spoofs in a capture: an incident a line",
    ),
    "edge.pcap": ("la captura, pcap o pcapng; se puede repetir", "the capture, pcap or pcapng; may be repeated"),
    "edge.calibration": (
        "lo habitual del sitio, como lo escribió croody ids calibrate",
        "what is ordinary at the site, as croody ids calibrate wrote it",
    ),
    "edge.calibrate": (
        "mide lo habitual de la red de esta placa, como límites: al menos cuatro minutos sin nada raro",
        "measure what is ordinary on this board's network, as limits: four minutes or more with nothing odd in them",
    ),
    "edge.live": (
        "escucha la red desde ahora tanto tiempo: 15m, 900s o 1h",
        "listen to the network from now on for so long: 15m, 900s or 1h",
    ),
    "edge.interface": ("la interfaz que se escucha; sin ella eth0", "the interface to listen to; eth0 without it"),
    "edge.calibrate_out": ("dónde se guarda lo habitual", "where to keep what is ordinary"),
    "edge.merge": (
        "lo suma a lo que ya hay en ese archivo: de cada contador queda lo más alto",
        "add it to what that file has already: the higher of each counter stays",
    ),
    "calibrate.left_out": (
        "{device} se deja fuera ({what}): lo habitual es lo de los demás",
        "{device} is left out ({what}): what is ordinary is what the others do",
    ),
    "edge.bundle": (
        "hace un archivo pequeño con lo que hace falta para entender esta placa desde lejos, sin secretos",
        "make a small archive of what is needed to understand this board from afar, without secrets",
    ),
    "edge.out": ("dónde escribirlo; «-» para la salida estándar", "where to write it; '-' for standard output"),
    "bundle.made": ("{path}: {size} KiB, sin secretos", "{path}: {size} KiB, without secrets"),
    "bundle.leak": (
        "{name} llevaría un secreto: no se escribió nada; avisa de este fallo",
        "{name} would hold a secret: nothing was written; report this as a bug",
    ),
    "bundle.about": (
        "Lo que una placa dice de sí misma: versions (programas), settings, sources y rules (ajustes, con *** en lugar de secretos), doctor"
        " (qué va bien y qué mal), agent y log (el agente), outbox (qué espera), system (la placa). No lleva lecturas.\n",
        "What a board says of itself: versions (programs), settings, sources and rules (with *** in the place of secrets), doctor (what is"
        " well and what is not), agent and log (the agent), outbox (what waits), system (the board). There are no readings in it.\n",
    ),
}

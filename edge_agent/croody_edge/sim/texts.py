"""What `croody-sim` says to people, in Spanish and English. Knows words only."""

from collections.abc import Mapping
from typing import Final

from croody_edge.texts import spanish

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "description": (
        "Robots virtuales en un solo proceso, cada uno con el mismo agente que un robot real.",
        "Virtual robots in one process, each through the same agent as a real robot.",
    ),
    "options": ("opciones", "options"),
    "help": ("muestra esta ayuda y termina", "show this help and exit"),
    "broker": (
        "dirección del broker MQTT: mqtt://, mqtts://, ws:// o wss://; por defecto $CROODY_BROKER_URL",
        "address of the MQTT broker: mqtt://, mqtts://, ws:// or wss://; default $CROODY_BROKER_URL",
    ),
    "robots": (
        "cuántos robots; por defecto todos los de --credentials, o 3",
        "how many robots; default all of --credentials, or 3",
    ),
    "rate": ("lecturas por segundo de cada robot", "readings a second of each robot"),
    "duration": (
        "termina tras tantos segundos, con 0 solo si todo quedó confirmado; sin ella sigue hasta SIGTERM",
        "end after so many seconds, with 0 only when all is acknowledged; without it go on until SIGTERM",
    ),
    "settle": ("cuánto espera las confirmaciones al final, en segundos", "how long to wait for acknowledgements at the end, seconds"),
    "seed": ("semilla: la misma da la misma vida a los robots", "seed: the same one gives the robots the same life"),
    "witness": (
        "agrega a este archivo 'robot_id stream seq' por cada registro cuya publicación volvió",
        "append 'robot_id stream seq' to this file for every record whose publish returned",
    ),
    "witness_hashes": ("agrega además el hash de cada registro", "append the hash of every record too"),
    "credentials": (
        "archivo con líneas 'ID SECRETO'; sin él los pide a la API de la demostración",
        "file of 'ID SECRET' lines; without it they are asked of the demo's API",
    ),
    "api": ("dirección de la API de telemetría", "address of the telemetry API"),
    "state": ("carpeta de las colas de salida; por defecto una temporal", "folder of the outboxes; default a temporary one"),
    "scenario": ("qué se avería: {names}", "what breaks: {names}"),
    "no_tcp": ("sin el protocolo TCP del primer robot", "without the first robot's TCP protocol"),
    "tcp_port": ("puerto del protocolo TCP; por defecto $ROBOT_PORT o 9090", "port of the TCP protocol; default $ROBOT_PORT or 9090"),
    "tcp_bind": (
        "dirección en la que escucha; por defecto $ROBOT_BIND o 127.0.0.1",
        "address it listens on; default $ROBOT_BIND or 127.0.0.1",
    ),
    "prefix": ("comienzo de los nombres de los robots que se piden", "beginning of the names of robots that are asked for"),
    "started": ("{count} robots hacia {target}, colas en {state}", "{count} robots to {target}, outboxes in {state}"),
    "tcp_on": ("{robot} responde por TCP en {host}:{port}", "{robot} answers by TCP on {host}:{port}"),
    "tcp_taken": (
        "no se puede escuchar en {host}:{port} ({reason}): sigo sin el protocolo TCP; otro puerto con --tcp-port",
        "cannot listen on {host}:{port} ({reason}): going on without the TCP protocol; another port with --tcp-port",
    ),
    "all_acknowledged": ("todo confirmado: {count} registros", "all acknowledged: {count} records"),
    "left": (
        "{left} registros de {robots} robots sin confirmar tras {settle:g} s; siguen en {state}: repite con --state {state}",
        "{left} records of {robots} robots not acknowledged after {settle:g} s; they stay in {state}: run again with --state {state}",
    ),
    "stopped": ("detenido; {left} registros quedan en {state}", "stopped; {left} records stay in {state}"),
    "stopped_clean": ("detenido; todo confirmado", "stopped; all acknowledged"),
    "bad_line": (
        "{file}, línea {number}: se espera 'ID SECRETO', separados por un espacio",
        "{file}, line {number}: 'ID SECRET' is expected, with a space between",
    ),
    "too_few": (
        "{file} tiene {have} robots y se piden {want}: baja --robots o agrega líneas con `croody robot add ID`",
        "{file} has {have} robots and {want} are asked for: lower --robots, or add lines with `croody robot add ID`",
    ),
    "no_enrolment": (
        "no se pudieron pedir {count} robots a {url} ({reason}): ¿está en marcha `make up`? Si no, da --credentials o --api",
        "could not ask {url} for {count} robots ({reason}): is `make up` running? If not, give --credentials or --api",
    ),
    "too_few_files": (
        "{robots} robots necesitan {need} archivos abiertos y aquí se permiten {hard}: como mucho {most} robots, o sube el límite"
        " (`ulimit -Hn` como root, LimitNOFILE en systemd, `--ulimit nofile=` en docker)",
        "{robots} robots need {need} open files, and {hard} are allowed here: run at most {most} robots, or raise the limit"
        " (`ulimit -Hn` as root, LimitNOFILE in systemd, `--ulimit nofile=` in docker)",
    ),
    "positive": ("{name} es {value}: debe ser mayor que 0", "{name} is {value}: it must be above 0"),
    "usage": ("uso: ", "usage: "),
    "witness_failed": ("el testigo {file} no se pudo escribir: {reason}", "the witness {file} could not be written: {reason}"),
    "error": ("croody-sim: error: {text}", "croody-sim: error: {text}"),
}


class Texts:
    """Looks sentences up in one language."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take the language from LC_ALL, LC_MESSAGES or LANG."""
        self._column = 0 if spanish(environ) else 1

    def __call__(self, key: str, **values: object) -> str:
        """The sentence `key`, with its values in place."""
        return _TEXTS[key][self._column].format(**values)

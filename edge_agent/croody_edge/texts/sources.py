"""Sources of readings, kind by kind."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    # The source `replay`.
    "replay.unreadable": (
        "grabación {path}: {error}: da la ruta de un archivo CSV",
        "recording {path}: {error}: give the path of a CSV file",
    ),
    "replay.empty": (
        "grabación {path}: no tiene filas: da un CSV con cabecera y filas",
        "recording {path}: has no rows: give a CSV with a head and rows",
    ),
    "replay.no_time": (
        "grabación {path}, línea {line}: sin hora en su primera columna ({error}): ts es ISO 8601 con su diferencia horaria,"
        " 2026-11-24T10:00:00Z; los segundos en número van en una columna t_s",
        "recording {path}, line {line}: no time in its first column ({error}): ts is ISO 8601 with its offset,"
        " 2026-11-24T10:00:00Z; seconds as a number go into a column t_s",
    ),
    "replay.left_out": (
        "grabación {path}: de la columna {column} se dejan fuera celdas como {cell}: {why}; las otras de su fila llegan",
        "recording {path}: of the column {column}, cells such as {cell} are left out: {why}; the others of their row arrive",
    ),
    "cell.no_number": ("no es un número finito", "no finite number"),
    "cell.too_large": ("el número no cabe en 64 bits", "the number does not fit in 64 bits"),
    "cell.bad_text": ("el texto es demasiado largo o lleva U+0000", "the text is too long, or holds U+0000"),
    "cell.bad_name": (
        "una lectura lleva hasta 256 métricas, con nombres de 1 a 64 caracteres",
        "a reading carries up to 256 metrics, with names of 1 to 64 characters",
    ),
    "replay.first_column": (
        "la primera columna es {name}, y tiene que ser ts o t_s",
        "the first column is {name}, it must be ts or t_s",
    ),
    "replay.twice": (
        "dos columnas se llaman {name}: da a cada una un nombre",
        "two columns are called {name}: give each its own name",
    ),
    "replay.more_cells": (
        "grabación {path}, línea {line}: tiene más celdas que la cabecera, {cells} se dejan fuera (¿una coma decimal sin comillas?);"
        " las otras de su fila llegan",
        "recording {path}, line {line}: has more cells than its head, {cells} are left out (a decimal comma without quotes?);"
        " the others of their row arrive",
    ),
    # Kinds of sources.
    "modbus.host_or_device": (
        "da host (TCP) o device (línea serie), uno de los dos",
        "give host (TCP) or device (a serial line), one of them",
    ),
    "modbus.twice": ("dos registros se llaman {name}: da a cada uno un nombre", "two registers are called {name}: give each its own name"),
    "modbus.unreachable": ("no se llega a {where}", "{where} cannot be reached"),
    "modbus.silent": ("{where} no responde: {error}", "{where} does not answer: {error}"),
    "modbus.refused": (
        "{where} no da lo que hay en {address} (código {code})",
        "{where} does not give what is at {address} (code {code})",
    ),
    "serial.no_port": ("no hay ningún puerto {pattern}", "there is no port {pattern}"),
    "serial.no_columns": ("format = columns pide columns, los nombres en orden", "format = columns wants columns, the names in order"),
    "serial.bad_pattern": ("pattern no es una expresión regular: {error}", "pattern is no regular expression: {error}"),
    "serial.no_groups": (
        "pattern no tiene grupos con nombre: (?P<temp_c>[0-9.]+)",
        "pattern has no named groups: (?P<temp_c>[0-9.]+)",
    ),
    "mqtt.bad_topic": (
        "topic es {topic}: un nivel es texto, +, {{nombre}}, o # al final",
        "topic is {topic}: a level is text, +, {{name}}, or # at the end",
    ),
    "mqtt.bad_metric": (
        "metric es {metric}, y su topic solo nombra: {names}",
        "metric is {metric}, and its topic names only: {names}",
    ),
    "mqtt.one_broker": ("broker es uno solo", "broker is one only"),
    "network.permission": (
        "{interface}: este programa no puede mirar la red: dale CAP_NET_RAW (cap_add en Docker, AmbientCapabilities en systemd)",
        "{interface}: this program may not watch the network: give it CAP_NET_RAW (cap_add in Docker, AmbientCapabilities in systemd)",
    ),
    "network.interface": (
        "{interface}: no se puede mirar ({why}): las interfaces que hay las dice ip link",
        "{interface}: cannot be watched ({why}): ip link says which interfaces there are",
    ),
    "network.calibration": ("calibration: {why}", "calibration: {why}"),
    "robot_tcp.silent": ("{where} no dice nada", "{where} says nothing"),
    "robot_tcp.ended": ("{where} cerró la conexión", "{where} closed the connection"),
    # ROS 2.
    "ros.no_topics": (
        "no nombra ningún topic: hace falta al menos un [[source.NOMBRE.topics]] con `name`",
        "names no topic: at least one [[source.NAME.topics]] with a `name` is needed",
    ),
    "ros.twice": ("{name} está dos veces: junta sus `fields`", "{name} is there twice: put its `fields` together"),
    "ros.path": (
        "{topic}: {path} no es un lugar de un mensaje: como twist.linear.x o ranges[0]",
        "{topic}: {path} is no place in a message: like twist.linear.x or ranges[0]",
    ),
    "ros.unknown_type": (
        "{topic}: de los mensajes {kind} no se sabe qué leer: nómbralo en `fields`",
        "{topic}: nobody knows what to read of messages {kind}: name it in `fields`",
    ),
    "ros.picture": (
        "{topic}: las imágenes no se pueden guardar ({why}): hace falta JPEG, 44 KiB y 4096 puntos como mucho; publícalas más pequeñas",
        "{topic}: its pictures cannot be kept ({why}): they have to be JPEG, 44 KiB and 4,096 points at most; publish smaller ones",
    ),
    "ros.distro": ("distro {distro} no se conoce: hay {names}", "distro {distro} is not known: there are {names}"),
    "ros.definition": (
        "definitions {path}: no se puede leer ({error}); tiene que ser PAQUETE/msg/NOMBRE.msg, y los tipos que usa delante de él",
        "definitions {path}: cannot be read ({error}); it has to be PACKAGE/msg/NAME.msg, with the types it uses before it",
    ),
    "ros.no_such_type": ("el tipo {kind} no se conoce", "the type {kind} is not known"),
    "ros.type_not_on_dds": ("{kind} tiene {what}, que aquí no se puede leer", "{kind} has {what}, which cannot be read here"),
    "ros.other_type": (
        "{topic} lleva {found} y no {kind}: corrige `type`, o quítalo",
        "{topic} carries {found} and not {kind}: correct `type`, or leave it out",
    ),
    "ros.no_definition": (
        "{topic} lleva {kind}, que ROS 2 no trae: nombra su archivo .msg en `definitions`",
        "{topic} carries {kind}, which ROS 2 does not ship: name its .msg file in `definitions`",
    ),
    "ros.bad_message": (
        "{topic}: lo que llega no es un {kind} ({error}): se pasa por alto",
        "{topic}: what comes is no {kind} ({error}): it is passed over",
    ),
    "ros.absent": (
        "nadie publica {topic} en el dominio {domain}; hay: {there}",
        "nobody publishes {topic} on domain {domain}; there are: {there}",
    ),
    "ros.no_library": (
        "rmw {rmw} necesita {library}, que no está aquí: en un clon, pip install -r requirements/extra-ros2.txt; en placas ARM usa"
        ' rmw = "zenoh" o rosbridge',
        "rmw {rmw} needs {library}, which is not here: in a clone, pip install -r requirements/extra-ros2.txt; on ARM boards use"
        ' rmw = "zenoh" or rosbridge',
    ),
    "ros.nothing": ("nada: revisa ROS_DOMAIN_ID, la red y `peers`", "nothing: check ROS_DOMAIN_ID, the network and `peers`"),
    # rosbridge.
    "rosbridge.url": ("url {url}: tiene que empezar por ws:// o wss://", "url {url}: has to begin with ws:// or wss://"),
    "rosbridge.nonsense": (
        "{url} envía algo que no es del protocolo de rosbridge ({error}): se pasa por alto",
        "{url} sends what is not rosbridge's protocol ({error}): it is passed over",
    ),
    "rosbridge.absent": (
        "{url}: nadie publica {topic}, o no está rosapi; con `type` no hace falta preguntarlo",
        "{url}: nobody publishes {topic}, or rosapi is not there; with `type` it need not be asked",
    ),
    "rosbridge.complaint": ("{url} dice: {said}", "{url} says: {said}"),
    # Recordings.
    "recording.unreadable": (
        "file {path}: no se puede leer ({error}); tiene que ser un archivo .mcap, una carpeta de rosbag2 o un .bag",
        "file {path}: cannot be read ({error}); it has to be a .mcap file, a rosbag2 folder or a .bag",
    ),
    "recording.torn": (
        "{path} está rota después de {count} mensajes ({error}): se reproduce hasta ahí",
        "{path} is torn after {count} messages ({error}): it is played up to there",
    ),
    "recording.encoding": (
        "{topic}: los mensajes {kind} en {encoding} no se saben leer: se pasan por alto",
        "{topic}: messages {kind} in {encoding} cannot be read: they are passed over",
    ),
    "recording.topic": ("{path}: {error}", "{path}: {error}"),
    # VDA 5050.
    "vda5050.vehicle": (
        "manufacturer {manufacturer} y serial {serial}: tienen que ser como en los topics del vehículo, sin / + ni #; el número de serie"
        " solo con A-Z a-z 0-9 _ . : -",
        "manufacturer {manufacturer} and serial {serial}: have to be as in the vehicle's topics, without / + and #; the serial number of"
        " A-Z a-z 0-9 _ . : - alone",
    ),
    "vda5050.interface": ("interface {interface}: un nivel de un topic, o +", "interface {interface}: one level of a topic, or +"),
    "vda5050.bad_message": (
        "{topic}: no es un mensaje de este vehículo ({error}): se pasa por alto",
        "{topic}: no message of this vehicle ({error}): it is passed over",
    ),
    # MAVLink.
    "mavlink.url": (
        "tiene que ser como udp://127.0.0.1:14550, udpout://HOST:PUERTO, tcp://HOST:PUERTO o serial:///dev/ttyACM0?baud=57600",
        "has to be like udp://127.0.0.1:14550, udpout://HOST:PORT, tcp://HOST:PORT or serial:///dev/ttyACM0?baud=57600",
    ),
    "mavlink.others": (
        "en este enlace hay otros vehículos ({others}); se lee solo el {mine}: otro se elige con `system`",
        "there are other vehicles on this link ({others}); {mine} alone is read: `system` chooses another",
    ),
    "mavlink.noise": (
        "por {url} llega mucho que no es MAVLink, o va sin la firma pedida: revisa la velocidad (`baud`), el cable y `secret`",
        "much of what comes through {url} is no MAVLink, or is not signed as asked: check the speed (`baud`), the cable and `secret`",
    ),
    "mavlink.bare": (
        "el autopiloto solo envía latidos: con `ask_hz = 2` se le piden sus demás mensajes",
        "the autopilot sends heartbeats alone: `ask_hz = 2` asks it for its other messages",
    ),
}

"""Every text of the broker's commands that is for a person at a terminal, in Spanish and English.

What a running broker logs is not here: it is English wherever it runs, and read elsewhere.
"""

from typing import Final

from croody_contract.texts import said

#: Key -> Spanish, English. The part before the dot says where it is used.
TEXTS: Final[dict[str, tuple[str, str]]] = {
    # The embedded broker's help.
    "broker.about": (
        "Broker MQTT 3.1.1 para unos 50 robots como mucho: amqtt detrás de una guardia.",
        "MQTT 3.1.1 broker for up to about 50 robots: amqtt behind a guard.",
    ),
    "broker.more": (
        "'croody-broker mosquitto-conf -h' y 'croody-broker mosquitto -h' hacen lo mismo con Mosquitto, a partir de los mismos archivos.",
        "'croody-broker mosquitto-conf -h' and 'croody-broker mosquitto -h' do the same with Mosquitto, from the same files.",
    ),
    "broker.bind": (
        "escucha aquí sin TLS: la propia máquina o una red privada",
        "listen here without TLS: loopback or a private network",
    ),
    "broker.tls_bind": ("escucha aquí con TLS; necesita --cert y --key", "listen here with TLS; needs --cert and --key"),
    "broker.websocket_bind": (
        "escucha aquí MQTT sobre WebSocket, detrás de una pasarela que habla TLS",
        "listen here for MQTT over WebSocket, behind a gateway that speaks TLS",
    ),
    "broker.cert": (
        "cadena de certificados (PEM); se lee otra vez cuando cambia",
        "certificate chain (PEM); read again when it changes",
    ),
    "broker.client_ca": (
        "pide a los clientes TLS un certificado de esta CA que nombre a su usuario",
        "ask TLS clients for a certificate of this CA that names their user",
    ),
    "broker.acl": ("reglas de temas, en el formato acl_file de Mosquitto", "topic rules, in Mosquitto's acl_file format"),
    "broker.max_backlog": (
        "corta a los clientes que se retrasan tanto (%(default)s)",
        "drop clients this far behind (%(default)s)",
    ),
    "broker.max_rate": ("lo que puede publicar una cuenta (%(default)s)", "what one account may publish (%(default)s)"),
    "broker.connect_timeout": ("espera tanto a un CONNECT (%(default)s)", "wait this long for a CONNECT (%(default)s)"),
    # Options that both brokers take.
    "option.key": ("clave privada (PEM)", "private key (PEM)"),
    "option.passwd": ("cuentas, en el formato de mosquitto_passwd", "accounts, in the format of mosquitto_passwd"),
    "option.max_packet": ("paquete más grande (%(default)s)", "largest packet (%(default)s)"),
    # Mosquitto's help.
    "mosquitto.runs": (
        "Ejecuta Mosquitto con la política de Croody y le avisa cuando cambian sus archivos.",
        "Run Mosquitto with Croody's policy and tell it when its files change.",
    ),
    "mosquitto.prints": (
        "Escribe un mosquitto.conf con la política de Croody.",
        "Print a mosquitto.conf with Croody's policy.",
    ),
    "mosquitto.bind": ("robots, sin TLS", "robots, without TLS"),
    "mosquitto.bridge_bind": (
        "puentes; déjalo en la propia máquina o en una red privada",
        "bridges; keep it on loopback or a private network",
    ),
    "mosquitto.tls_bind": ("robots, con TLS; necesita --cert y --key", "robots, with TLS; needs --cert and --key"),
    "mosquitto.cert": ("cadena de certificados (PEM)", "certificate chain (PEM)"),
    "mosquitto.client_ca": ("pide a los clientes TLS un certificado de esta CA", "ask TLS clients for a certificate of this CA"),
    "mosquitto.websocket_bind": (
        "robots, por WebSocket, detrás de una pasarela que habla TLS; solo 0.0.0.0, pues Mosquitto no respeta otra",
        "robots, over WebSocket, behind a gateway that speaks TLS; 0.0.0.0 only, for Mosquitto keeps to no other",
    ),
    "mosquitto.bridge_passwd": (
        "solo la cuenta del puente (por defecto: {name} junto a --passwd)",
        "the bridge's account alone (default: {name} beside --passwd)",
    ),
    "mosquitto.acl": ("reglas de temas, en el formato acl_file", "topic rules, in acl_file format"),
    "mosquitto.max_backlog": ("cola para un cliente (%(default)s)", "queue for one client (%(default)s)"),
    "mosquitto.user": (
        "cuenta a la que cambia Mosquitto cuando lo arranca root (la de Mosquitto por defecto: mosquitto)",
        "account that Mosquitto changes to when root starts it (Mosquitto's default: mosquitto)",
    ),
    "mosquitto.absent": (
        "mosquitto no está instalado: 'apt install mosquitto', o ejecuta croody-broker sin 'mosquitto'",
        "mosquitto is not installed: 'apt install mosquitto', or run croody-broker without 'mosquitto'",
    ),
    "mosquitto.unreadable": (
        "{file}: {error}: hazlo legible, y su carpeta escribible",
        "{file}: {error}: make it readable, and its folder writable",
    ),
    "mosquitto.everywhere": (
        "la dirección {bind} para WebSocket: Mosquitto escucharía igualmente en todas: di 0.0.0.0:PUERTO, y cierra ese puerto hacia fuera",
        "address {bind} for WebSocket: Mosquitto would listen on every address all the same: say 0.0.0.0:PORT, and keep that port closed"
        " to the outside",
    ),
    "mosquitto.path": (
        "la ruta {path}: no cabe en una línea de mosquitto.conf",
        "path {path}: a line of mosquitto.conf cannot hold it",
    ),
    # What is wrong with a command line.
    "wrong.no_bind": (
        "da --bind, --tls-bind o --websocket-bind, o varias de ellas",
        "give --bind, --tls-bind or --websocket-bind, or several of them",
    ),
    "wrong.no_robots_bind": ("da --bind, --tls-bind, o las dos", "give --bind, --tls-bind, or both"),
    "wrong.no_cert": ("--tls-bind necesita --cert y --key", "--tls-bind needs --cert and --key"),
    "wrong.max_packet": (
        "--max-packet {value}: los robots envían publicaciones de hasta {most} bytes",
        "--max-packet {value}: robots send publishes of up to {most} bytes",
    ),
    "wrong.max_rate": (
        "--max-rate tiene que ser positivo, y --max-backlog al menos --max-packet",
        "--max-rate has to be positive, and --max-backlog at least --max-packet",
    ),
    "wrong.address": (
        "la dirección {bind}: se espera HOST:PUERTO, por ejemplo 127.0.0.1:1883",
        "address {bind}: expected HOST:PORT, for example 127.0.0.1:1883",
    ),
    # What keeps it from starting.
    "start.failed": ("no puede arrancar: {why}", "cannot start: {why}"),
    "start.taken": (
        "ya hay quien escucha en {addresses}: deténlo, o elige otro --bind",
        "somebody listens on {addresses} already: stop that, or choose another --bind",
    ),
    "start.forbidden": (
        "no hay permiso para {addresses} o el certificado: los puertos por debajo de 1024 necesitan root",
        "no permission for {addresses} or the certificate: ports below 1024 need root",
    ),
    "start.elsewhere": (
        "esta máquina no tiene la dirección {addresses}: elige otro --bind",
        "this machine has no address {addresses}: choose another --bind",
    ),
    "start.or": (" o ", " or "),
    "start.amqtt": (
        "está instalado amqtt {found}, pero la guardia se escribió para {wanted}: instala requirements/broker.txt",
        "amqtt {found} is installed, but the guard was written for {wanted}: install requirements/broker.txt",
    ),
}


def text(key: str, **values: object) -> str:
    """A text in the language that is spoken.

    Raises:
        KeyError: no such text, or one of its places has no value.
    """
    return said(TEXTS, key, **values)

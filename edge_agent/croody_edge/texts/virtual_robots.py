"""`croody-sim`."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "sim.about": (
        "Robots virtuales en un solo proceso, cada uno con el mismo agente que un robot real.",
        "Virtual robots in one process, each through the same agent as a real robot.",
    ),
    "sim.broker": (
        "dirección del broker MQTT: mqtt://, mqtts://, ws:// o wss://; por defecto $CROODY_BROKER_URL",
        "address of the MQTT broker: mqtt://, mqtts://, ws:// or wss://; default $CROODY_BROKER_URL",
    ),
    "sim.robots": (
        "cuántos robots; por defecto todos los de --credentials, o 3",
        "how many robots; default all of --credentials, or 3",
    ),
    "sim.rate": ("lecturas por segundo de cada robot", "readings a second of each robot"),
    "sim.duration": (
        "termina tras tantos segundos, con 0 solo si todo quedó confirmado; sin ella sigue hasta SIGTERM",
        "end after so many seconds, with 0 only when all is acknowledged; without it go on until SIGTERM",
    ),
    "sim.settle": ("cuánto espera las confirmaciones al final, en segundos", "how long to wait for acknowledgements at the end, seconds"),
    "sim.seed": ("semilla: la misma da la misma vida a los robots", "seed: the same one gives the robots the same life"),
    "sim.witness": (
        "agrega a este archivo 'robot_id stream seq' por cada registro cuya publicación volvió",
        "append 'robot_id stream seq' to this file for every record whose publish returned",
    ),
    "sim.witness_hashes": ("agrega además el hash de cada registro", "append the hash of every record too"),
    "sim.credentials": (
        "archivo con líneas 'ID SECRETO'; sin él los pide a la API de la demostración",
        "file of 'ID SECRET' lines; without it they are asked of the demo's API",
    ),
    "sim.api": ("dirección de la API de telemetría", "address of the telemetry API"),
    "sim.state": ("carpeta de las colas de salida; por defecto una temporal", "folder of the outboxes; default a temporary one"),
    "sim.scenario": ("qué se avería: {names}", "what breaks: {names}"),
    "sim.no_tcp": ("sin el protocolo TCP del primer robot", "without the first robot's TCP protocol"),
    "sim.tcp_port": ("puerto del protocolo TCP; por defecto $ROBOT_PORT o 9090", "port of the TCP protocol; default $ROBOT_PORT or 9090"),
    "sim.tcp_bind": (
        "dirección en la que escucha; por defecto $ROBOT_BIND o 127.0.0.1",
        "address it listens on; default $ROBOT_BIND or 127.0.0.1",
    ),
    "sim.prefix": ("comienzo de los nombres de los robots que se piden", "beginning of the names of robots that are asked for"),
    "sim.started": ("{count} robots hacia {target}, colas en {state}", "{count} robots to {target}, outboxes in {state}"),
    "sim.tcp_on": ("{robot} responde por TCP en {host}:{port}", "{robot} answers by TCP on {host}:{port}"),
    "sim.tcp_taken": (
        "no se puede escuchar en {host}:{port} ({reason}): sigo sin el protocolo TCP; otro puerto con --tcp-port",
        "cannot listen on {host}:{port} ({reason}): going on without the TCP protocol; another port with --tcp-port",
    ),
    "lab.about": (
        "Ataca tu propio sistema en esta máquina, o hace capturas etiquetadas de un sitio de laboratorio.",
        "Attacks your own system on this machine, or makes labelled captures of a site in the laboratory.",
    ),
    "lab.kind": ("qué ataque contra tu propio sistema", "which attack on your own system"),
    "lab.what": ("falta el ataque: {kinds}, o --scenario", "the attack is missing: {kinds}, or --scenario"),
    "lab.target": ("dirección de tu sistema: solo la de esta misma máquina", "address of your system: only that of this very machine"),
    "lab.loopback": (
        "--target {address}: solo se ataca a esta misma máquina (127.0.0.1, ::1)",
        "--target {address}: only this very machine is attacked (127.0.0.1, ::1)",
    ),
    "lab.credentials": (
        "archivo con líneas 'ID SECRETO' para spoof; sin él los pide a la API de la demostración",
        "file of 'ID SECRET' lines for spoof; without it they are asked of the demo's API",
    ),
    "lab.scenario": (
        "hace una captura de este escenario: {names}, o un archivo TOML",
        "make a capture of this scenario: {names}, or a TOML file",
    ),
    "lab.seed": ("otra semilla: otro sitio", "another seed: another site"),
    "lab.take": ("otra toma del mismo sitio", "another take of the same site"),
    "lab.seconds": ("cuánto dura a lo sumo", "how long it lasts at most"),
    "lab.out": ("carpeta de la captura y sus etiquetas; por defecto captures", "folder of the capture and its labels; default captures"),
    "lab.live": (
        "con programas reales en espacios de red propios, en tiempo real: necesita root",
        "with real programs in network namespaces of its own, in real time: needs root",
    ),
    "lab.list": ("muestra todos los ataques y todo lo cotidiano", "show all attacks and all that is ordinary"),
    "lab.made": (
        "{path}: {attacks} ataques en {seconds:.0f} s; sus etiquetas al lado, en .json",
        "{path}: {attacks} attacks in {seconds:.0f} s; their labels beside it, in .json",
    ),
    "lab.full": (
        "la captura llegó a {most} paquetes y termina ahí: sube most_packets en el escenario",
        "the capture reached {most} packets and ends there: raise most_packets in the scenario",
    ),
    "lab.no_namespaces": (
        "no se pueden hacer espacios de red ({why}): usa root (CAP_NET_ADMIN y CAP_SYS_ADMIN), o quita --live",
        "network namespaces cannot be made ({why}): use root (CAP_NET_ADMIN and CAP_SYS_ADMIN), or leave --live out",
    ),
    "lab.done": ("{what} contra {target}: {seconds:.1f} s; mira la consola", "{what} on {target}: {seconds:.1f} s; look at the console"),
    "sim.all_acknowledged": ("todo confirmado: {count} registros", "all acknowledged: {count} records"),
    "sim.left": (
        "{left} registros de {robots} robots sin confirmar tras {settle:g} s; siguen en {state}: repite con --state {state}",
        "{left} records of {robots} robots not acknowledged after {settle:g} s; they stay in {state}: run again with --state {state}",
    ),
    "sim.stopped": ("detenido; {left} registros quedan en {state}", "stopped; {left} records stay in {state}"),
    "sim.stopped_clean": ("detenido; todo confirmado", "stopped; all acknowledged"),
    "sim.bad_line": (
        "{file}, línea {number}: se espera 'ID SECRETO', separados por un espacio",
        "{file}, line {number}: 'ID SECRET' is expected, with a space between",
    ),
    "sim.too_few": (
        "{file} tiene {have} robots y se piden {want}: baja --robots o agrega líneas con `croody robot add ID`",
        "{file} has {have} robots and {want} are asked for: lower --robots, or add lines with `croody robot add ID`",
    ),
    "sim.no_enrolment": (
        "no se pudieron pedir {count} robots a {url} ({reason}): ¿está en marcha `make up`? Si no, da --credentials o --api",
        "could not ask {url} for {count} robots ({reason}): is `make up` running? If not, give --credentials or --api",
    ),
    "sim.too_few_files": (
        "{robots} robots necesitan {need} archivos abiertos y aquí se permiten {hard}: como mucho {most} robots, o sube el límite"
        " (`ulimit -Hn` como root, LimitNOFILE en systemd, `--ulimit nofile=` en docker)",
        "{robots} robots need {need} open files, and {hard} are allowed here: run at most {most} robots, or raise the limit"
        " (`ulimit -Hn` as root, LimitNOFILE in systemd, `--ulimit nofile=` in docker)",
    ),
    "sim.positive": ("{name} es {value}: tiene que ser mayor que 0", "{name} is {value}: it must be above 0"),
    "sim.witness_failed": (
        "el testigo {file} no se pudo escribir: {reason}",
        "the witness {file} could not be written: {reason}",
    ),
    "sim.witness_in_part": ("una línea quedó a medias: libera espacio", "a line was written in part: free some space"),
}

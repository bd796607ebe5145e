"""Settings and the file of sources: which one, and the rule that its value breaks."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    # Settings: which variable, and the rule that its value breaks.
    "setting.rule": ("{name} es {value}: {rule}", "{name} is {value}: {rule}"),
    "setting.secret": ("un secreto", "a secret"),
    "setting.twice": ("{name} y {name}_FILE están puestas las dos: deja una", "{name} and {name}_FILE are both set: keep one of them"),
    "setting.unreadable": (
        "{name}_FILE es {file}, que no se puede leer ({error}): da la ruta de un archivo de texto legible",
        "{name}_FILE is {file}, which cannot be read ({error}): give the path of a readable text file",
    ),
    "setting.no_robot_id": (
        "falta ROBOT_ID: da de alta esta placa con `croody-edge enrol PASE` (lo muestra `croody robot claim ID`), o da el nombre que"
        " mostró `croody robot add`",
        "ROBOT_ID is missing: enrol this board with `croody-edge enrol CLAIM` (`croody robot claim ID` prints one), or give the name"
        " that `croody robot add` printed",
    ),
    "setting.no_secret": (
        "falta ROBOT_SECRET: da de alta esta placa con `croody-edge enrol PASE`, o da lo que mostró `croody robot add {robot_id}`, o su"
        " archivo en ROBOT_SECRET_FILE",
        "ROBOT_SECRET is missing: enrol this board with `croody-edge enrol CLAIM`, or give what `croody robot add {robot_id}` printed,"
        " or its file in ROBOT_SECRET_FILE",
    ),
    "setting.ca": (
        "CROODY_CA_FILE es {file}, donde no hay un certificado legible ({error}): da el archivo PEM de la autoridad",
        "CROODY_CA_FILE is {file}, which holds no certificate that can be read ({error}): give the PEM file of the authority",
    ),
    "setting.source": ("{asked_by} es {name}: tiene que ser una de {names}", "{asked_by} is {name}: it must be one of {names}"),
    "setting.source_twice": (
        "{asked_by} es {name}, que está en {count} paquetes ({packages}): deja uno",
        "{asked_by} is {name}, which {count} packages have ({packages}): keep one of them",
    ),
    "setting.source_broken": (
        "{asked_by} es {name}, y {place} del paquete {package} no se puede cargar ({error}): instala lo que le falta, o corrige"
        " su punto de entrada",
        "{asked_by} is {name}, and {place} of the package {package} cannot be loaded ({error}): install what it needs, or mend its entry"
        " point",
    ),
    "setting.source_extra": (
        "{asked_by} es {name}, y le falta su biblioteca ({error}): pip install '{wanted}'",
        "{asked_by} is {name}, and its library is not installed ({error}): pip install '{wanted}'",
    ),
    "setting.source_library": (
        "{asked_by} es {name}, y le falta su biblioteca ({error}): en un clon, pip install -r requirements/extra-{extra}.txt, o"
        " EDGE_EXTRAS={extra} al construir la imagen",
        "{asked_by} is {name}, and its library is not installed ({error}): in a clone, pip install -r requirements/extra-{extra}.txt, or"
        " EDGE_EXTRAS={extra} when the image is built",
    ),
    "setting.source_no_kind": (
        "no es una clase con Settings, mira docs/how-to/write-a-source.es.md",
        "it is no class with Settings, see docs/how-to/write-a-source.md",
    ),
    "own.unknown": ("{name}: no existe; hay {names}", "{name}: there is no such setting; there are {names}"),
    "own.missing": ("falta {name}: {rule}", "{name} is missing: {rule}"),
    "own.unreadable": (
        "{name} es {value}, que no se puede leer ({error}): da la ruta de un archivo de texto legible",
        "{name} is {value}, which cannot be read ({error}): give the path of a readable text file",
    ),
    # The file of sources.
    "sources.none": ("{file}: ninguna fuente está encendida", "{file}: no source in it is enabled"),
    "sources.too_large": ("es mayor que 1 MiB", "it is larger than 1 MiB"),
    "sources.unreadable": (
        "{file} no se puede leer ({error}): mira docs/reference/sources.es.md",
        "{file} cannot be read ({error}): see docs/reference/sources.md",
    ),
    "sources.no_tables": (
        "{file}: {name} no va ahí: cada fuente es una tabla [source.NOMBRE]",
        "{file}: {name} does not belong there: each source is a table [source.NAME]",
    ),
    "sources.too_many": (
        "{file} tiene {count} fuentes: pueden ser hasta {most}; otro agente lleva las demás",
        "{file} has {count} sources: up to {most} may be; another agent takes the others",
    ),
    "sources.name": (
        "{file}: una fuente se llama {name}: da de 1 a 32 letras, dígitos, «-» o «_», y una letra al principio",
        "{file}: a source is called {name}: give 1 to 32 letters, digits, '-' or '_', a letter first",
    ),
    "sources.most": ("pueden ser hasta {most}", "up to {most} may be"),
    "sources.left": ("fuente que no se usa: {why}", "a source is not used: {why}"),
    "sources.hangs_at_end": (
        "la fuente {name} no termina: se la deja",
        "the source {name} does not end: it is left behind",
    ),
    "sources.left_out": (
        "fuente {name}: de {metric} se dejan fuera valores como {cell}: {why}; lo demás de la lectura llega",
        "source {name}: of {metric}, values such as {cell} are left out: {why}; the rest of the reading arrives",
    ),
    "cell.no_value": ("el dispositivo no da ahí un valor que se entienda", "the device gives no value there that can be read"),
    "cell.bad_type": ("no es un número, un texto ni sí o no", "no number, text, true or false"),
    "cell.too_many": ("una lectura lleva hasta 256 métricas", "a reading carries up to 256 metrics"),
    "cell.no_place": ("no es un lugar en la Tierra", "no place on Earth"),
    "rule.path": ("tiene que ser la ruta de un archivo", "it must be the path of a file"),
    "rule.table": ("tiene que ser una tabla", "it must be a table"),
    "rule.text": ("tiene que ser un texto", "it must be a text"),
    "rule.one_of": ("tiene que ser una de {values}", "it must be one of {values}"),
    "rule.other": ("mira la referencia de fuentes", "see the reference of sources"),
    "rule.switch": ("tiene que ser 1 o 0", "it must be 1 or 0"),
    "rule.number": ("tiene que ser un número, como 2.5", "it must be a number, such as 2.5"),
    "rule.whole": ("tiene que ser un número entero", "it must be a whole number"),
    "rule.between": ("tiene que estar entre {low} y {high}", "it must lie between {low} and {high}"),
    "rule.port": ("tiene que ser un número de 0 a 65535", "it must be a number from 0 to 65535"),
    "rule.condition": (
        "{part} no es una condición: métrica, signo (> < >= <= = !=) y valor, como speed_mps>0.05 o status=moving",
        "{part} is not a condition: metric, sign (> < >= <= = !=) and value, such as speed_mps>0.05 or status=moving",
    ),
    "rule.robots": (
        "tiene que tener un robot por línea o entre comas, como ID SECRETO; los da croody robot add",
        "it must have one robot a line, or commas between them, as ID SECRET; croody robot add gives them",
    ),
    "rule.pem": (
        "tiene que ser un certificado PEM entero, de BEGIN CERTIFICATE a END CERTIFICATE",
        "it must be a whole PEM certificate, from BEGIN CERTIFICATE to END CERTIFICATE",
    ),
    "rule.conditions": ("tiene que tener {most} condiciones como mucho", "it must have at most {most} conditions"),
    "rule.length": ("tiene que tener de 3 a 64 caracteres", "it must have 3 to 64 characters"),
    "rule.robot_id": (
        "tiene que tener de 3 a 64 letras, dígitos, «-» o «_» (por HTTP, con TELEMETRY_INGEST_URL, valen también otros nombres)",
        "it must be 3 to 64 letters, digits, '-' or '_' (over HTTP, with TELEMETRY_INGEST_URL, other names go too)",
    ),
    "rule.certificate": (
        "no existe ese archivo: da la ruta del certificado (PEM)",
        "there is no such file: give the path of the certificate (PEM)",
    ),
    "rule.http_url": (
        "tiene que ser http://HOST:PUERTO/RUTA o https://HOST:PUERTO/RUTA",
        "it must be http://HOST:PORT/PATH or https://HOST:PORT/PATH",
    ),
    "rule.proxy": (
        "tiene que ser http://PROXY:PUERTO o http://USUARIO:CLAVE@PROXY:PUERTO",
        "it must be http://PROXY:PORT or http://NAME:PASSWORD@PROXY:PORT",
    ),
    "rule.log_level": ("tiene que ser DEBUG, INFO, WARNING o ERROR", "it must be DEBUG, INFO, WARNING or ERROR"),
}

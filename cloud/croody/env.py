"""Reads the cloud's environment, once, into a frozen dataclass. Nothing else in the cloud reads `os.environ`.

Every variable also accepts `NAME_FILE`, the path of a file that holds the value.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from croody import catalogue
from croody.quotas import Quotas
from croody_contract.texts import short

Role = Literal["web", "telemetry", "ids", "worker", "manage"]
ROLES: tuple[Role, ...] = ("web", "telemetry", "ids", "worker", "manage")
#: Which role needs which of the site's secrets. It is to be given no others, and takes no others up: what a process does not know,
#: nobody finds in it. All but the bridge, which asks no database, also have the way into theirs.
SECRETS: dict[Role, tuple[str, ...]] = {
    # It signs what browsers keep. Streams of the telemetry API are its own, and take the same keys.
    "web": ("SECRET_KEY", "TG_INGEST_TOKEN", "CROODY_SMTP_URL", "CROODY_STRIPE_KEY", "CROODY_STRIPE_WEBHOOK_SECRET"),
    "telemetry": ("BRIDGE_TOKEN", "TG_INGEST_TOKEN"),
    "ids": ("IDS_API_TOKEN",),
    # It writes the broker's password file.
    "worker": ("BRIDGE_MQTT_PASSWORD", "CROODY_SMTP_URL"),
    "manage": ("SECRET_KEY", "BRIDGE_MQTT_PASSWORD"),
}
#: Values seen in examples and in the earlier Croody: production refuses to start on them.
KNOWN_DEFAULTS = frozenset({"", "change-me-in-prod", "changeme", "secret", "django-insecure"})
#: The database itself lets no entry of the audit log go that is younger.
AUDIT_LEAST_DAYS = 30


class BadEnvironment(ValueError):
    """A variable that is missing or wrong; names it, its value (of a long one the beginning and the end), the rule and the remedy."""

    def __init__(self, text: str) -> None:
        super().__init__(short(text))


@dataclass(frozen=True, slots=True)
class Database:
    """A parsed database URL. `engine` is `sqlite` or `postgres`."""

    engine: Literal["sqlite", "postgres"]
    name: str
    user: str = ""
    password: str = ""
    host: str = ""
    port: str = ""


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server. `tls`: from the first byte, by STARTTLS, or none at all."""

    host: str
    port: int
    user: str
    password: str
    tls: Literal["tls", "starttls", "plain"]


@dataclass(frozen=True, slots=True)
class Env:
    """Everything the cloud takes from outside."""

    role: Role
    secret_key: str
    debug: bool
    demo: bool
    #: Whether anybody may make an account; otherwise who runs the site makes them.
    registration: bool
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    #: Whose `X-Forwarded-For` is believed.
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    #: Where webhooks may go though it is no public address.
    notice_networks: tuple[IPv4Network | IPv6Network, ...]
    database: Database
    telemetry_database: Database | None
    ingest_token: str
    ids_token: str
    bridge_token: str
    bridge_mqtt_password: str
    model_path: str
    #: Where the sensor writes; empty where there is none.
    captures: str
    state_dir: Path
    retention_days: int
    #: Through which mail goes; None where none was named.
    smtp: Smtp | None
    mail_from: str
    #: Stripe's secret key, what its notices are signed with, and another server than Stripe's own; empty: no payments by card.
    stripe_key: str
    stripe_webhook_secret: str
    stripe_url: str
    #: Of what is over (alarms, commands, verdicts), and of hourly roll-ups.
    history_days: int
    rollup_days: int
    #: Of what was done by whom.
    audit_days: int
    #: What one robot may name, send and be.
    quotas: Quotas
    #: Where people, and the web's own health page, reach each part.
    public_url: str
    telemetry_url: str
    ids_url: str
    broker_url: str
    #: Where robots reach the broker from outside; empty where nobody said so.
    robots_url: str


def value_of(environ: Mapping[str, str], name: str, default: str = "") -> str:
    """`NAME`, else the text of the file `NAME_FILE`, else the default. Where both are there, an empty `NAME` says nothing.

    Raises:
        BadEnvironment: the file cannot be read.
    """
    path = environ.get(f"{name}_FILE")
    if environ.get(name) or not path:
        return environ.get(name, default)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        _ = _words(environ)
        told = {"name": name, "path": path, "why": error.strerror}
        raise BadEnvironment(_("%(name)s_FILE=%(path)s: no se puede leer (%(why)s): da permiso a este usuario") % told) from error


def parse_database(url: str, variable: str) -> Database:
    """Read `sqlite:////abs/path` or `postgres://user:pass@host:port/name`.

    Raises:
        BadEnvironment: another scheme, or no name.
    """
    _ = _words(os.environ)
    parts = urlsplit(url)
    if parts.scheme in {"sqlite", "sqlite3"}:
        path = unquote(parts.path[1:] if parts.path.startswith("/") else parts.path)
        if not path:
            raise BadEnvironment(
                _("%(name)s=%(url)s: no nombra un archivo: escribe sqlite:////ruta/absoluta.db") % {"name": variable, "url": url}
            )
        return Database("sqlite", path)
    if parts.scheme in {"postgres", "postgresql"}:
        name = unquote(parts.path.lstrip("/"))
        if not name:
            raise BadEnvironment(
                _("%(name)s: no nombra una base de datos: escribe postgres://USUARIO:CLAVE@HOST:5432/NOMBRE") % {"name": variable}
            )
        netloc_host = parts.netloc.rpartition("@")[2]
        hosts = [pair.rpartition(":") if ":" in pair else (pair, "", "") for pair in netloc_host.split(",")]
        host = ",".join(h[0] for h in hosts)
        port = ",".join(h[2] for h in hosts if h[2])
        user_info = parts.netloc.rpartition("@")[0]
        user, _colon, password = user_info.partition(":")
        return Database("postgres", name, unquote(user), unquote(password), host, port)
    raise BadEnvironment(_("%(name)s: no se conoce %(scheme)r: usa sqlite:// o postgres://") % {"name": variable, "scheme": parts.scheme})


#: Scheme -> how it is encrypted, and the port that is meant without one.
_SMTP: Mapping[str, tuple[Literal["tls", "starttls", "plain"], int]] = {
    "smtps": ("tls", 465),
    "smtp": ("starttls", 587),
    "smtp+plain": ("plain", 25),
}


def parse_smtp(url: str) -> Smtp:
    """Read `smtp://USER:PASSWORD@HOST:587`, `smtps://...` or `smtp+plain://...`.

    Raises:
        BadEnvironment: another scheme, no host, or a port that is none.
    """
    _ = _words(os.environ)
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in _SMTP or not parts.hostname or port == -1:
        raise BadEnvironment(
            _("CROODY_SMTP_URL: no nombra un servidor de correo: escribe smtp://USUARIO:CLAVE@HOST:587, smtps:// o smtp+plain://")
        )
    tls, usual = _SMTP[parts.scheme]
    return Smtp(parts.hostname, port or usual, unquote(parts.username or ""), unquote(parts.password or ""), tls)


def read(environ: Mapping[str, str]) -> Env:
    """Read and judge the environment.

    Raises:
        BadEnvironment: the first thing that is wrong, with its remedy.
    """
    _ = _words(environ)
    role = value_of(environ, "CROODY_ROLE", "manage")
    if role not in ROLES:
        raise BadEnvironment(_("CROODY_ROLE=%(role)s: usa uno de %(roles)s") % {"role": role, "roles": ", ".join(ROLES)})
    demo = _flag(environ, "CROODY_DEMO", default=False)
    debug = _flag(environ, "DEBUG", default=False)

    def secret(name: str) -> str:
        return value_of(environ, name) if name in SECRETS[role] else ""

    secret_key = secret("SECRET_KEY")
    if "SECRET_KEY" in SECRETS[role] and (secret_key in KNOWN_DEFAULTS or secret_key.startswith("django-insecure")):
        raise BadEnvironment(_("SECRET_KEY: falta, o es un ejemplo conocido: pon 50 caracteres al azar o más"))
    bridge_token = secret("BRIDGE_TOKEN")
    if role == "telemetry" and len(bridge_token) < 32:
        raise BadEnvironment(
            _("BRIDGE_TOKEN: la clave del puente para la API de telemetría falta o es menor de 32 caracteres: pon la misma en los dos")
        )
    bridge_mqtt_password = secret("BRIDGE_MQTT_PASSWORD")
    if role == "worker" and not bridge_mqtt_password:
        raise BadEnvironment(
            _("falta BRIDGE_MQTT_PASSWORD: el worker lo escribe en el archivo de contraseñas del broker; pon el mismo valor en el puente")
        )
    state_dir = Path(value_of(environ, "CROODY_STATE_DIR", "/data"))
    database = parse_database(value_of(environ, "DATABASE_URL", f"sqlite:///{state_dir / 'croody.db'}"), "DATABASE_URL")
    telemetry_url = value_of(environ, "TG_DB_URL")
    telemetry_path = value_of(environ, "TG_DB_PATH")
    telemetry = (
        parse_database(telemetry_url, "TG_DB_URL") if telemetry_url else Database("sqlite", telemetry_path) if telemetry_path else None
    )
    public_url = value_of(environ, "CROODY_PUBLIC_URL", f"http://127.0.0.1:{value_of(environ, 'WEB_PORT', '8000')}")
    smtp_url = secret("CROODY_SMTP_URL")
    return Env(
        role=role,
        secret_key=secret_key,
        debug=debug,
        demo=demo,
        registration=_flag(environ, "CROODY_REGISTRATION", default=demo or debug),
        allowed_hosts=_list(environ, "ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if demo or debug else ""),
        allowed_origins=_list(environ, "ALLOWED_ORIGINS", ""),
        trusted_proxies=_networks(environ, "CROODY_TRUSTED_PROXIES"),
        notice_networks=_networks(environ, "CROODY_NOTICE_NETWORKS"),
        database=database,
        telemetry_database=telemetry,
        ingest_token=secret("TG_INGEST_TOKEN"),
        ids_token=secret("IDS_API_TOKEN"),
        bridge_token=bridge_token,
        bridge_mqtt_password=bridge_mqtt_password,
        model_path=value_of(environ, "MODEL_PATH"),
        captures=value_of(environ, "CROODY_CAPTURES"),
        state_dir=state_dir,
        smtp=parse_smtp(smtp_url) if smtp_url else None,
        mail_from=value_of(environ, "CROODY_MAIL_FROM") or f"Croody <croody@{urlsplit(public_url).hostname or 'localhost'}>",
        stripe_key=secret("CROODY_STRIPE_KEY"),
        stripe_webhook_secret=secret("CROODY_STRIPE_WEBHOOK_SECRET"),
        stripe_url=value_of(environ, "CROODY_STRIPE_URL"),
        retention_days=_whole(environ, "CROODY_RETENTION_DAYS", 30),
        history_days=_whole(environ, "CROODY_HISTORY_DAYS", 90),
        rollup_days=_whole(environ, "CROODY_ROLLUP_DAYS", 1100),
        audit_days=_whole(environ, "CROODY_AUDIT_DAYS", 730, least=AUDIT_LEAST_DAYS),
        quotas=Quotas.read(lambda name, default: _whole(environ, name, default)),
        public_url=public_url,
        telemetry_url=value_of(environ, "CROODY_TELEMETRY_URL", f"http://127.0.0.1:{value_of(environ, 'TELEMETRY_PORT', '9000')}"),
        ids_url=value_of(environ, "CROODY_IDS_URL", f"http://127.0.0.1:{value_of(environ, 'IDS_PORT', '9100')}"),
        broker_url=value_of(environ, "CROODY_BROKER_URL", f"mqtt://127.0.0.1:{value_of(environ, 'MQTT_PORT', '1883')}"),
        robots_url=value_of(environ, "CROODY_ROBOTS_URL"),
    )


def _whole(environ: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    _ = _words(environ)
    text = value_of(environ, name).strip() or str(default)
    try:
        number = int(text)
    except ValueError as error:
        raise BadEnvironment(_("%(name)s=%(text)s: escribe un número entero") % {"name": name, "text": text}) from error
    if number < least:
        raise BadEnvironment(_("%(name)s=%(number)d: tiene que ser %(least)d o más") % {"name": name, "number": number, "least": least})
    return number


def _words(environ: Mapping[str, str]) -> Callable[[str], str]:
    """What is wrong is said in the terminal's language."""
    return catalogue.of(catalogue.terminal_language(environ)).gettext


def _flag(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = value_of(environ, name).strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    _ = _words(environ)
    raise BadEnvironment(_("%(name)s=%(text)s: escribe true o false") % {"name": name, "text": text})


def _list(environ: Mapping[str, str], name: str, default: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value_of(environ, name, default).split(",") if part.strip())


def _networks(environ: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    _ = _words(environ)
    try:
        return tuple(ip_network(part) for part in _list(environ, name, ""))
    except ValueError as error:
        raise BadEnvironment(
            _("%(name)s: %(why)s: escribe direcciones o redes, como 127.0.0.1 o 172.16.0.0/12") % {"name": name, "why": error}
        ) from error

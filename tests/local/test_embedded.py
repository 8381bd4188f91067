"""The embedded PostgreSQL starts whatever state its last stop left behind."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.embedded import (
    DATABASE,
    OWNER_LOGIN,
    ROOT,
    SERVING_LOGIN,
    SUPERUSER,
    Cluster,
    EmbeddedDatabaseError,
)


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not tmp_path: that is closed to the user whom root runs PostgreSQL as.
    with tempfile.TemporaryDirectory(prefix="a cluster ") as name:
        yield Path(name).resolve()


@pytest.fixture
def no_cluster(directory: Path) -> Iterator[Cluster]:
    """A cluster that is still to be made."""
    cluster = Cluster(directory / "pg", durable=False)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="made-") as name:
        cluster = Cluster(Path(name).resolve() / "pg", durable=False)
        cluster.start()
        cluster.stop()
        yield cluster.directory


@pytest.fixture
def cluster(made: Path, no_cluster: Cluster) -> Cluster:
    """A copy of a cluster that was made, and is stopped."""
    subprocess.run(["/bin/cp", "-a", str(made), str(no_cluster.directory)], check=True)
    return no_cluster


def ask(cluster: Cluster, sql: str, login: str = SUPERUSER) -> object:
    url = cluster.url(login)
    assert url is not None
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def postmaster(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def test_a_restart_keeps_the_data(cluster: Cluster) -> None:
    assert cluster.start()
    assert not cluster.start()  # it runs already
    ask(cluster, "CREATE TABLE kept AS SELECT 42 AS n")
    assert cluster.stop()
    assert not cluster.stop()
    assert not cluster.is_running()
    assert cluster.start()
    assert ask(cluster, "SELECT n FROM kept") == (42,)


def test_each_login_is_what_it_should_be(cluster: Cluster) -> None:
    cluster.start()
    login = "SELECT current_user::text, rolsuper, rolbypassrls FROM pg_roles"
    login += " WHERE rolname = current_user"
    assert ask(cluster, login, SERVING_LOGIN) == (SERVING_LOGIN, False, False)
    assert ask(cluster, login, OWNER_LOGIN) == (OWNER_LOGIN, False, False)
    owner = f"SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = '{DATABASE}'"
    assert ask(cluster, owner) == (OWNER_LOGIN,)
    assert ask(cluster, "SELECT count(*) > 0 FROM pg_stat_statements") == (True,)
    assert (cluster.directory / "cluster.json").stat().st_mode & 0o077 == 0
    nobody = f"postgres://{SUPERUSER}@127.0.0.1:{(cluster.describe() or {})['port']}/{DATABASE}"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(nobody)


def test_a_pid_file_that_names_another_program_is_stale(cluster: Cluster) -> None:
    cluster.start()
    text = (cluster.data / "postmaster.pid").read_text()
    os.kill(postmaster(cluster), signal.SIGQUIT)  # at once, without tidying up
    wait_for_end(cluster)
    (cluster.data / "postmaster.pid").write_text(text.replace(text.split()[0], str(os.getpid())))
    assert not cluster.is_running()
    assert cluster.start()
    assert ask(cluster, "SELECT 1") == (1,)


def test_a_killed_server_is_started_again(cluster: Cluster) -> None:
    cluster.start()
    ask(cluster, "CREATE TABLE kept AS SELECT 42 AS n")
    ask(cluster, "CHECKPOINT")
    # A query that does not notice the death of its server for a while.
    url = cluster.url(SUPERUSER)
    assert url is not None
    busy = psycopg.connect(url, autocommit=True)
    thread = threading.Thread(target=run_until_cut, args=(busy,))
    thread.start()
    os.kill(postmaster(cluster), signal.SIGKILL)
    wait_for_end(cluster)
    assert cluster.start()
    assert ask(cluster, "SELECT n FROM kept") == (42,)
    thread.join()


def run_until_cut(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT count(*), pg_sleep(9) FROM generate_series(1, 5000000)")


def wait_for_end(cluster: Cluster) -> None:
    while cluster.is_running():
        pass


def test_another_port_when_its_own_is_taken(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    port = (cluster.describe() or {})["port"]
    with socket.create_server(("127.0.0.1", port)):
        assert cluster.start()
        assert (cluster.describe() or {})["port"] != port
        assert ask(cluster, "SELECT 1") == (1,)


def test_a_half_made_cluster_is_made_again(no_cluster: Cluster) -> None:
    unfinished = no_cluster.directory / "data.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    assert no_cluster.describe() is None
    assert no_cluster.start()
    assert ask(no_cluster, "SELECT 1") == (1,)


def test_data_without_its_passwords_is_not_made_again(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.directory / "cluster.json").unlink()
    with pytest.raises(EmbeddedDatabaseError, match=r"with the passwords is missing"):
        cluster.start()
    assert (cluster.data / "PG_VERSION").exists()


def test_a_damaged_description_is_one_line(no_cluster: Cluster) -> None:
    no_cluster.directory.mkdir()
    (no_cluster.directory / "cluster.json").write_text("{")
    with pytest.raises(EmbeddedDatabaseError, match=r"cluster\.json is damaged"):
        no_cluster.describe()


def test_data_of_another_version_is_left_alone(no_cluster: Cluster) -> None:
    no_cluster.data.mkdir(parents=True)
    (no_cluster.data / "PG_VERSION").write_text("12\n")
    (no_cluster.directory / "cluster.json").write_text(json.dumps({"port": 1, "passwords": {}}))
    with pytest.raises(EmbeddedDatabaseError, match="was made by PostgreSQL 12"):
        no_cluster.start()


START_AS = """
import os, pathlib, sys, psycopg
from local.embedded import Cluster
from database import roles  # all imports first: the interpreter may lie in root's home
directory, user = pathlib.Path(sys.argv[1]), int(sys.argv[2])
if user:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
cluster = Cluster(directory, durable=False)
assert cluster.start()
with psycopg.connect(cluster.url("replytics_web")) as connection:
    print(connection.execute("SELECT current_user").fetchone()[0])
assert cluster.stop()
"""


def start_as(user: int, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START_AS, str(directory), str(user)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_an_ordinary_user_needs_no_root_and_root_can_go_on(directory: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    shutil.chown(directory, nobody)
    made = directory / "pg"
    for user in (nobody, 0, nobody):
        done = start_as(user, made)
        assert (done.stdout.strip(), done.stderr) == ("replytics_web", "")
        # Root runs the server as the user whose data it is, and leaves all files to that user.
        assert {path.stat().st_uid for path in made.iterdir()} == {nobody}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_s_cluster_is_refused_in_one_line(cluster: Cluster) -> None:
    cluster.start()
    done = start_as(pwd.getpwnam("nobody").pw_uid, cluster.directory)
    assert "belongs to another user" in done.stderr.splitlines()[-1]

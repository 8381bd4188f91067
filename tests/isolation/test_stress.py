"""Many threads on few connections see no row of another line; a broken guard is found out."""

from collections.abc import Callable, Iterator

import pytest

from tenancy import guard, scope
from tests.isolation.conftest import Lines, another_way
from tests.isolation.stress import THREADS, stress

pytestmark = pytest.mark.rounds(30, soak=300)  # operations of each thread


@pytest.fixture
def pooled(lines: Lines, pgbouncer_port: int) -> Iterator[str]:
    changes = {"HOST": "127.0.0.1", "PORT": str(pgbouncer_port), "CONN_MAX_AGE": None}
    with another_way("pooled", **changes) as alias:
        yield alias


def test_no_violation_among_threads(
    lines: Lines, way: str, count_assertion: Callable[..., None], rounds: int
) -> None:
    counts = stress(way, sorted(lines.ids), operations=rounds, seed=1)
    print(f"\nstress: {dict(counts)}")
    assert counts["operations"] == THREADS * rounds
    assert counts["unexpected errors"] == 0
    assert counts["violations"] == 0
    count_assertion()


def test_session_level_settings_are_found_out(
    lines: Lines, pooled: str, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    """The stress test can fail: with settings of the session it does."""
    transaction_local = scope.scope_sql

    def session_level(role: str, phone_id: str) -> str:
        return transaction_local(role, phone_id).replace("true)", "false)")

    monkeypatch.setattr(scope, "scope_sql", session_level)
    monkeypatch.setattr(guard, "scope_sql", session_level)
    counts = stress(pooled, sorted(lines.ids), operations=rounds, seed=1)
    print(f"\nbroken twin: {dict(counts)}")
    assert counts["violations"] > 0

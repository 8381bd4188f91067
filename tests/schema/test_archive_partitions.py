"""app.create_archive_partitions(first, last): the months that the archive needs."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connections, transaction

from tenancy import all_tenants, no_tenant, tenant
from tenants.models import PhoneNumber
from tests.factories import make_line
from tests.schema.rawsql import ROWS, fetch, insert

CREATE = "SELECT app.create_archive_partitions(%s::timestamptz, %s::timestamptz) AS name"
# The archive itself first, then its partitions.
TABLES = """
SELECT relname, pg_get_expr(relpartbound, oid) AS bounds, relrowsecurity AS enabled,
    relforcerowsecurity AS forced, (
        SELECT count(*) FROM aclexplode(relacl) WHERE grantee <> relowner
    ) AS grants, (
        SELECT array_agg(concat_ws(' ', polname, polroles::regrole[],
            pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) ORDER BY polname)
        FROM pg_policy WHERE polrelid = pg_class.oid
    ) AS policies
FROM pg_class
WHERE oid IN (SELECT relid FROM pg_partition_tree('calls_archive'))
AND relname < 'calls_archive_2024_06' ORDER BY relname  -- migrate makes those of two years
"""
WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""


@pytest.fixture
def staff(db: None) -> Iterator[None]:
    with all_tenants("test"):
        yield


def create(first: object, last: object) -> list[str]:
    return [row["name"] for row in fetch(CREATE, first, last)]


def test_each_month_of_the_range_gets_a_partition(staff: None) -> None:
    made = create("2023-11-30 23:59:59.999999+00", "2024-02-01 00:00+00")
    assert made == [
        f"calls_archive_{month}" for month in ("2023_11", "2023_12", "2024_01", "2024_02")
    ]


@pytest.mark.parametrize(
    ("zone", "style"), [("Asia/Kolkata", "SQL, DMY"), ("America/New_York", "German")]
)
def test_bounds_are_utc_whatever_the_session_thinks(staff: None, zone: str, style: str) -> None:
    fetch(
        "SELECT set_config('timezone', %s, true), set_config('datestyle', %s, true)", zone, style
    )
    assert create("2024-01-31 23:30+00", "2024-02-01 00:30+00") == [
        "calls_archive_2024_01",
        "calls_archive_2024_02",
    ]
    fetch("SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true)")
    assert [row["bounds"] for row in fetch(TABLES)[1:]] == [
        "FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2024-02-01 00:00:00+00')",
        "FOR VALUES FROM ('2024-02-01 00:00:00+00') TO ('2024-03-01 00:00:00+00')",
    ]


def test_what_is_there_is_not_made_again(staff: None) -> None:
    create("2024-01-15", "2024-02-15")
    assert create("2023-12-15", "2024-03-15") == ["calls_archive_2023_12", "calls_archive_2024_03"]
    assert create("2023-12-15", "2024-03-15") == []


def test_partition_is_protected_as_the_archive_is(staff: None) -> None:
    create("2024-01-15", "2024-01-15")
    archive, partition = fetch(TABLES)
    assert (partition["enabled"], partition["forced"]) == (True, True)
    assert partition["policies"] == archive["policies"]
    assert len(partition["policies"]) == 2
    assert partition["grants"] == 0


@pytest.mark.parametrize("as_staff", [True, False])
def test_partition_is_reached_through_the_archive_alone(line: PhoneNumber, as_staff: bool) -> None:
    with all_tenants("test"):
        create("2024-01-15", "2024-01-15")
    with (
        all_tenants("test") if as_staff else tenant(line.id),
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
    ):
        fetch("SELECT * FROM calls_archive_2024_01")


def test_archive_shows_a_tenant_its_own_rows(
    line: PhoneNumber, other_line: PhoneNumber, staff: None
) -> None:
    create("2024-01-15", "2024-01-15")
    archived = ROWS["calls_archive"] | {"phone_id": line.id, "created_at": "2024-01-15"}
    insert("calls_archive", **archived)
    count = "SELECT count(*) FROM calls_archive"
    with tenant(line.id):
        assert fetch(count) == [{"count": 1}]
    with tenant(other_line.id):
        assert fetch(count) == [{"count": 0}]
    with no_tenant(), pytest.raises(DatabaseError, match="no tenant"), transaction.atomic():
        fetch(count)


def test_rows_go_to_their_month_to_the_microsecond(line: PhoneNumber, staff: None) -> None:
    february = datetime(2024, 2, 1, tzinfo=UTC)
    create(february - timedelta(days=1), february)
    for n, (created_at, partition) in enumerate(
        [
            (february - timedelta(microseconds=1), "calls_archive_2024_01"),
            (february, "calls_archive_2024_02"),
            (february + timedelta(days=29, microseconds=-1), "calls_archive_2024_02"),
        ]
    ):
        row = ROWS["calls_archive"] | {"phone_id": line.id, "id": f"{n:032x}"}
        row["call_sid"] = f"CA{n}"
        insert("calls_archive", **row, created_at=created_at)
        where = fetch(
            "SELECT tableoid::regclass::text AS name FROM calls_archive WHERE created_at = %s",
            created_at,
        )
        assert where == [{"name": partition}]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (None, "2024-01-01"),
        ("2024-01-01", None),
        ("2024-02-01", "2024-01-01"),
        ("1969-12-31", "1970-01-31"),
        ("0044-03-15 BC", "0044-03-16 BC"),
        ("1970-01-01", "2070-01-01"),
        ("9999-12-31", "10000-01-01"),
        ("-infinity", "2024-01-01"),
        ("2024-01-01", "infinity"),
        ("infinity", "infinity"),
    ],
)
def test_nonsense_is_refused(staff: None, first: str | None, last: str | None) -> None:
    with pytest.raises(DatabaseError, match="give a range from 1970 on"), transaction.atomic():
        create(first, last)
    assert len(fetch(TABLES)) == 1


def test_table_in_the_way_is_named(committed: None) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE calls_archive_2024_01 ()")
    try:
        with all_tenants("test"), pytest.raises(DatabaseError, match="is not a partition of"):
            create("2024-01-15", "2024-01-15")
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("DROP TABLE calls_archive_2024_01")


def test_only_staff_may_make_partitions(line: PhoneNumber) -> None:
    for scope in (tenant(line.id), no_tenant()):
        with scope, pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            create("2024-01-15", "2024-01-15")
    roles = fetch(
        "SELECT rolname FROM pg_roles WHERE has_function_privilege(rolname,"
        " 'app.create_archive_partitions(timestamptz, timestamptz)', 'EXECUTE')"
        " AND rolname LIKE 'replytics%%' ORDER BY 1"
    )
    assert [row["rolname"] for row in roles] == ["replytics_owner", "replytics_staff"]


def test_two_at_once_make_each_partition_once(committed: None) -> None:
    make_line()
    made: dict[str, list[str]] = {}

    def other() -> None:
        with all_tenants("test"):
            made["other"] = create("2024-01-15", "2024-04-15")
        connections.close_all()

    thread = threading.Thread(target=other)
    with all_tenants("test"), transaction.atomic():
        made["first"] = create("2024-01-15", "2024-03-15")
        thread.start()
        while fetch(WAITING) == [{"count": 0}]:
            assert thread.is_alive()
    thread.join()
    assert made == {
        "first": ["calls_archive_2024_01", "calls_archive_2024_02", "calls_archive_2024_03"],
        "other": ["calls_archive_2024_04"],
    }
    with all_tenants("test"):
        assert len(fetch(TABLES)) == 5

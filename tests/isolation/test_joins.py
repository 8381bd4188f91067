"""Joined tables are not filtered by our manager; row level security filters them."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.db import ProgrammingError, connection, models
from django.db.models import Count, Exists, OuterRef
from django.test.utils import isolate_apps

from calls.models import Call, CallMetadata
from tenancy import NoTenantActive, all_tenants, no_tenant, tenant
from tenants.models import PhoneNumber
from tests.isolation.conftest import Lines


@pytest.fixture
def visits(lines: Lines) -> Iterator[Any]:
    """A shared table that refers to lines: a temporary one, with a visit to each of both."""
    with isolate_apps("tests.isolation"):

        class Visit(models.Model):
            phone = models.ForeignKey(PhoneNumber, models.DO_NOTHING, related_name="+")

            objects: ClassVar[Any] = models.Manager()

            class Meta:
                app_label = "isolation"
                db_table = "isolation_visit"
                managed = False

            def __str__(self) -> str:
                return f"visit {self.pk}"

        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE isolation_visit (id serial, phone_id text)")
            cursor.execute("GRANT SELECT ON isolation_visit TO replytics_staff")
            try:
                for line in sorted(lines.ids):
                    cursor.execute("INSERT INTO isolation_visit (phone_id) VALUES (%s)", [line])
                yield Visit.objects
            finally:
                cursor.execute("DROP TABLE isolation_visit")


def test_a_shared_table_alone_needs_no_scope(lines: Lines, visits: Any) -> None:
    with no_tenant():
        assert visits.count() == 2


def test_a_join_from_a_shared_table_raises_without_scope(lines: Lines, visits: Any) -> None:
    with no_tenant():
        for query in (
            visits.select_related("phone"),
            visits.filter(phone__business_name="Garage"),
            visits.annotate(n=Count("phone__number")),
            visits.order_by("phone__business_name"),
            visits.values("phone__number"),
        ):
            with pytest.raises(ProgrammingError, match="no tenant is active"):
                list(query)
        with pytest.raises(NoTenantActive):
            list(visits.annotate(called=Exists(Call.objects.filter(phone=OuterRef("phone")))))
        with pytest.raises(NoTenantActive):
            list(visits.prefetch_related("phone"))


def test_a_join_from_a_shared_table_sees_the_line_alone(lines: Lines, visits: Any) -> None:
    with tenant(lines.line.pk):
        assert [visit.phone for visit in visits.select_related("phone")] == [lines.line]
        assert not visits.filter(phone__business_name="Garage").exists()
        numbers = set(visits.values_list("phone__number", flat=True))
        assert numbers == {lines.line.number}
        called = visits.annotate(called=Exists(Call.objects.filter(phone=OuterRef("phone"))))
        assert dict(called.values_list("phone_id", "called")) == {
            lines.line.pk: True,
            lines.other.pk: False,
        }
    with all_tenants("test"):
        assert {visit.phone for visit in visits.select_related("phone")} == {
            lines.line,
            lines.other,
        }


def test_a_join_between_tenant_tables_is_filtered_on_both_sides(lines: Lines) -> None:
    """The manager filters the first table; the second one is PostgreSQL's."""
    query = PhoneNumber.objects.annotate(calls_made=Count("calls"))
    with tenant(lines.line.pk):
        assert str(query.query).count(lines.line.pk) == 1
        assert {line.pk: line.calls_made for line in query} == {lines.line.pk: 1}
        [metadata] = CallMetadata.objects.select_related("call", "call__phone")
        assert metadata.call.phone == lines.line


def test_a_foreign_key_into_another_line_reads_as_nothing(lines: Lines) -> None:
    with tenant(lines.line.pk):
        stray = Call(phone_id=lines.other.pk)
        with pytest.raises(PhoneNumber.DoesNotExist):
            stray.phone  # noqa: B018

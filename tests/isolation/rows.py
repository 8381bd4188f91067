"""One row of every tenant model for a line; a new model is added to MAKERS."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import connection, connections
from django.db.models import Model

from analytics.models import CallAnalytics, DailyCallStats, PhonePerformance
from calls.models import Call, CallArchive, CallMetadata, CallSearch
from tenants.models import BusinessHours, ConversationRule, PhoneNumber, VoiceSettings
from tenants.scoping import all_tenants
from tenants.scoping.models import ScopedModel
from tests.factories import make_call, make_line

INSERT_ARCHIVED = """
SELECT app.create_archive_partitions('2020-01-01Z', '2020-01-01Z');
INSERT INTO calls_archive (id, phone_id, caller_number, call_sid, status, created_at)
VALUES (gen_random_uuid(), %(line)s, '+14155559999', %(line)s || ' archived', 'completed',
        '2020-01-15Z')
"""
INSERT_HOUR = """
INSERT INTO call_analytics (date_bucket, phone_id, total_calls) VALUES ('2020-01-15Z', %(line)s, 1)
"""
INSERT_DAY = """
INSERT INTO daily_call_stats (date, phone_id, total_calls) VALUES ('2020-01-15', %(line)s, 1)
"""


def _execute(sql: str) -> Callable[[PhoneNumber], None]:
    def insert(line: PhoneNumber) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, {"line": line.pk})

    return insert


def _create(model: Any, **columns: Any) -> Callable[[PhoneNumber], None]:
    return lambda line: model.objects.create(phone=line, **columns)


MAKERS: dict[type[Model], Callable[[PhoneNumber], object]] = {
    PhoneNumber: lambda line: None,  # the line itself
    VoiceSettings: _create(VoiceSettings),
    ConversationRule: _create(ConversationRule, rule_type="greeting"),
    BusinessHours: _create(BusinessHours, day_of_week=1, open_time="09:00", close_time="17:00"),
    Call: lambda line: make_call(line, transcript="hello", metadata={"tags": ["vip"]}),
    CallSearch: lambda line: None,  # with its call's transcript
    CallMetadata: lambda line: None,  # with its call
    CallArchive: _execute(INSERT_ARCHIVED),
    CallAnalytics: _execute(INSERT_HOUR),
    DailyCallStats: _execute(INSERT_DAY),
    PhonePerformance: lambda line: None,  # computed from the calls
}


def tenant_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if issubclass(model, ScopedModel)]


def make_rows() -> tuple[PhoneNumber, PhoneNumber]:
    """Two lines with one committed row of every model each."""
    lines = (
        make_line(id="pn_bakery", number="+14155550101", business_name="Bakery"),
        make_line(id="pn_garage", number="+14155550202", business_name="Garage"),
    )
    with all_tenants("test data"):
        for line in lines:
            for make in MAKERS.values():
                make(line)
    with connections["owner"].cursor() as cursor:
        cursor.execute("REFRESH MATERIALIZED VIEW mv.phone_performance_summary")
    connections["owner"].close()
    return lines

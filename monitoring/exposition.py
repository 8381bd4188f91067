"""/metrics for Prometheus: the app's requests, and the last report of the database."""

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from database.errors import is_unavailable
from monitoring.models import DatabaseReport
from monitoring.report import findings_of
from monitoring.request_metrics import request_collector
from tenancy import all_tenants

LOOPBACK = {"127.0.0.1", "::1"}
# A proxy on this machine forwards remote requests over loopback, with one of these headers.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip", "Via")


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """404 for requests not from loopback; with METRICS_TOKEN set, 403 without that token."""
    if not settings.METRICS_TOKEN:
        if not _is_local(request):
            raise Http404
    elif not _has_token(request):
        return HttpResponseForbidden("The bearer token is missing or wrong.\n", "text/plain")
    registry = CollectorRegistry()
    registry.register(request_collector())
    registry.register(LastReport())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type)


def _is_local(request: HttpRequest) -> bool:
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not any(
        name in request.headers for name in FORWARDED
    )


def _has_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())


class LastReport(Collector):
    """The worker's last report; a scrape reads that one row and nothing else.

    Only a metric's name and numbers: the subjects of findings may name lines.
    """

    def collect(self) -> Iterator[GaugeMetricFamily]:
        report, is_up = None, True
        try:
            with all_tenants("metrics"):
                report = DatabaseReport.objects.first()
        except DatabaseError as error:
            # A login that may not read reports: the database is up, and no more is known.
            is_up = not is_unavailable(error)
        yield GaugeMetricFamily("replytics_database_up", "Whether the database answers.", is_up)
        if report is None:
            return
        yield GaugeMetricFamily(
            "replytics_database_report_timestamp_seconds",
            "When the worker last checked the database.",
            report.taken_at.timestamp(),
        )
        levels = GaugeMetricFamily(
            "replytics_database_finding",
            "1 for the current level of a metric: ok, skipped, unknown, warning or critical.",
            labels=["metric", "group", "level"],
        )
        values = GaugeMetricFamily(
            "replytics_database_value",
            "The worst value of a metric, in the unit shown by database_report.",
            labels=["metric", "group"],
        )
        for finding in findings_of(report.findings):
            levels.add_metric([finding.metric, finding.group, finding.level], 1)
            if finding.value is not None:
                values.add_metric([finding.metric, finding.group], finding.value)
        yield levels
        yield values

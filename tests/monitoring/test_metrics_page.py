"""/metrics: who may read it, what it counts, and that it says nothing of a line."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from monitoring.report import examine, save_report
from tests.api_client import api_of
from tests.factories import make_call, make_line
from tests.gunicorn import AS_IN_PRODUCTION, Server, gunicorn

TOKEN = "a token of more than twenty characters".replace(" ", "-")
DURATION = "http_server_request_duration_seconds"
pytestmark = pytest.mark.usefixtures("committed")


def scrape(**extra: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return parsed(Client().get("/metrics", **extra).text)


def parsed(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def requests_of(page: dict[Any, float], **labels: str) -> float:
    return page.get((f"{DURATION}_count", frozenset(labels.items())), 0)


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "10.0.0.7"}, 404),
        ({"REMOTE_ADDR": ""}, 404),  # a socket file
        ({"headers": {"X-Forwarded-For": "127.0.0.1"}}, 404),
        ({"headers": {"X-Forwarded-Proto": "https"}}, 404),
        ({"headers": {"Forwarded": "for=127.0.0.1"}}, 404),
    ],
)
def test_metrics_without_token_are_for_loopback(extra: dict[str, Any], status: int) -> None:
    assert Client().get("/metrics", **extra).status_code == status


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"Bearer {TOKEN[:-1]}", 403),
        (f"Bearer {TOKEN}x", 403),
        (TOKEN, 403),
        ("Bearer ünïcode", 403),
        ("", 403),
    ],
)
def test_metrics_with_a_token_are_for_its_holder(
    settings: Settings, given: str, status: int
) -> None:
    settings.METRICS_TOKEN = TOKEN
    for address in ("127.0.0.1", "10.0.0.7"):
        answer = Client().get("/metrics", REMOTE_ADDR=address, headers={"Authorization": given})
        assert answer.status_code == status


def test_metrics_count_requests_by_pattern_method_and_status() -> None:
    line = make_line()
    call = make_call(line)
    before = scrape()
    api = api_of(line)
    assert api.get(f"/calls/{call.pk}/").status_code == 200
    assert api.get("/calls/00000000-0000-0000-0000-000000000000/").status_code == 404
    Client().generic("BREW", "/nothing-there/+14155550123")
    after = scrape()
    route = "/api/v1/calls/<uuid:call_id>/"
    for labels in (
        {"route": route, "method": "GET", "status": "2xx"},
        {"route": route, "method": "GET", "status": "4xx"},
        {"route": "other", "method": "other", "status": "4xx"},
    ):
        assert requests_of(after, **labels) == requests_of(before, **labels) + 1
    page = Client().get("/metrics").text
    assert str(call.pk) not in page
    assert "4155550123" not in page
    assert "BREW" not in page


def test_metrics_show_the_last_report_and_ask_nothing_else() -> None:
    assert ("replytics_database_report_timestamp_seconds", frozenset()) not in scrape()
    line = make_line(id="pn_secret", business_name="Secret Bakery")
    make_call(line, transcript="hello")
    kept = save_report(examine())
    with CaptureQueriesContext(connection) as asked:
        page = scrape()
    assert len(asked) == 1
    assert page["replytics_database_up", frozenset()] == 1
    assert page["replytics_database_report_timestamp_seconds", frozenset()] == pytest.approx(
        kept.taken_at.timestamp()
    )
    levels = {
        dict(labels)["metric"]: dict(labels)["level"]
        for name, labels in page
        if name == "replytics_database_finding"
    }
    assert levels == {finding["metric"]: finding["level"] for finding in kept.findings}
    values = [name for name, _ in page if name == "replytics_database_value"]
    assert values
    text = Client().get("/metrics").text
    assert "pn_secret" not in text
    assert "Bakery" not in text
    assert line.number not in text


def test_metrics_answer_without_a_database() -> None:
    settings, port = connection.settings_dict, connection.settings_dict["PORT"]
    connection.close()
    settings["PORT"] = 1
    try:
        page = scrape()
    finally:
        connection.close()
        settings["PORT"] = port
    assert page["replytics_database_up", frozenset()] == 0
    assert any(name == f"{DURATION}_count" for name, _ in page)


def test_metrics_in_the_words_of_openmetrics() -> None:
    answer = Client().get(
        "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert answer.text.count("# EOF") == 1


@pytest.mark.rounds(1, soak=3)
def test_metrics_of_all_processes_survive_killed_ones(tmp_path: Path, rounds: int) -> None:
    """Requests are counted by whichever process answers them, and none is forgotten.

    A worker that takes the place of another goes on in its file.
    """
    live = {"route": "/health/live", "method": "GET", "status": "2xx"}
    folder = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    with gunicorn(*AS_IN_PRODUCTION, workers=3, **folder) as server:
        began = counted(server, live)
        for round_ in range(1, rounds + 1):
            for _ in range(50):
                requests.get(f"{server.url}/health/live", timeout=60).raise_for_status()
            assert counted(server, live) == began + 50 * round_
            victim = server.workers()[0]
            os.kill(victim.pid, signal.SIGKILL)
            victim.wait(30)
        until_all_are_back(server, 3)
        assert counted(server, live) == began + 50 * rounds
    names = {f"histogram_{server.master.pid}-{number}.db" for number in range(3)}
    assert {file.name for file in tmp_path.iterdir()} <= names


def counted(server: Server, labels: dict[str, str]) -> float:
    for _ in range(20):
        try:
            return requests_of(
                parsed(requests.get(f"{server.url}/metrics", timeout=60).text), **labels
            )
        except requests.RequestException:  # a killed process had taken the connection
            continue
    raise AssertionError("no answer")


def until_all_are_back(server: Server, workers: int) -> None:
    while len(server.workers()) < workers:
        requests.get(f"{server.url}/metrics", timeout=60)

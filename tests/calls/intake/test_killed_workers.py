"""What was acknowledged is there, whenever the web workers die."""

import random
import threading
import time
from collections import Counter

import psutil
import pytest
import requests
from pytest_django import Settings

from calls.models import Call, CallEvent
from tenancy import all_tenants
from tests.calls.intake.callbacks import TOKEN, VOICE, new_sid, sign, voice_event
from tests.factories import make_line
from tests.gunicorn import Server, gunicorn

MAX_ATTEMPTS = 20_000  # of one sender; a refused connection is one too
STATUSES = ["initiated", "ringing", "in-progress", "completed"]


def send_all(server: Server, events: list[dict[str, str]], acknowledged: list[str]) -> None:
    """Send each event until it is acknowledged, as a provider with retries does."""
    for _ in range(MAX_ATTEMPTS):
        if not events:
            return
        event = events.pop()
        headers = {"X-Twilio-Signature": sign(VOICE, event)}
        try:
            answer = requests.post(server.url + VOICE, event, headers=headers, timeout=10)
        except requests.RequestException:
            events.insert(0, event)
            continue
        assert answer.status_code in {204, 503}
        if answer.status_code == 204:
            acknowledged.append(event["CallSid"] + event["CallStatus"])
        else:
            events.insert(0, event)


@pytest.mark.rounds(1, soak=8)
@pytest.mark.usefixtures("committed")
def test_acknowledged_events_survive_killed_workers(settings: Settings, rounds: int) -> None:
    """Each round kills a worker."""
    line = make_line()
    calls = 40 + 10 * rounds
    sids = [new_sid() for _ in range(calls)]
    events = [voice_event(sid, word, To=line.number) for sid in sids for word in STATUSES]
    random.Random(3).shuffle(events)
    acknowledged: list[str] = []
    with gunicorn(TWILIO_AUTH_TOKEN=TOKEN) as server:
        settings.PUBLIC_URL = server.url
        senders = [
            threading.Thread(target=send_all, args=(server, events[i::4], acknowledged))
            for i in range(4)
        ]
        for sender in senders:
            sender.start()
        killed = 0
        while killed < rounds and any(sender.is_alive() for sender in senders):
            try:
                workers = [w for w in server.workers() if w.memory_info().rss > 40_000_000]
                if workers:
                    random.choice(workers).kill()
                    killed += 1
            except psutil.NoSuchProcess:
                pass
            time.sleep(0.25)
        for sender in senders:
            sender.join()
    assert killed == rounds
    assert set(acknowledged) == {sid + word for sid in sids for word in STATUSES}
    with all_tenants("test"):
        kept = {
            sid + payload["CallStatus"]
            for sid, payload in CallEvent.objects.values_list("call_sid", "payload")
        }
        statuses = Counter(Call.objects.values_list("status", flat=True))
    assert set(acknowledged) <= kept
    assert statuses == {"completed": calls}

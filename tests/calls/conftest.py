"""How long the product waits, where a test is not about that."""

import pytest

from calls.archival import batches, moving
from calls.intake.webhooks import deadline


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine, an event is not put off."""
    monkeypatch.setattr(deadline, "LOCK_TIMEOUT", 20)
    monkeypatch.setattr(deadline, "MAX_RESPONSE_TIME", 60)


@pytest.fixture
def full_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine, no batch of the archiver is tried again with fewer rows."""
    longer = batches.BOUNDS.replace("'500ms'", "'20s'").replace("'1s'", "'30s'")
    monkeypatch.setattr(batches, "BOUNDS", longer)
    longer = moving.LOCK.replace("'450ms'", "'20s'").replace("'490ms'", "'30s'")
    monkeypatch.setattr(moving, "LOCK", longer)

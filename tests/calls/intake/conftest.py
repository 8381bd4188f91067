"""The lines' events are signed by the account."""

import pytest
from pytest_django import Settings

from tests.calls.intake.callbacks import TOKEN


@pytest.fixture(autouse=True)
def account_token(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]

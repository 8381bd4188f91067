"""A question and an answer, for the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample

ASKED = OpenApiExample(
    "At the start of a call",
    {
        "call_sid": "CA0123456789abcdef0123456789abcdef",
        "caller": "+493012345678",
        "facts": {"language": "de-DE"},
    },
    request_only=True,
)
ANSWERED = OpenApiExample(
    "In a lunch break",
    {
        "at": "2026-03-02T11:30:00.000000Z",
        "hours": {
            "is_open": False,
            "since": "2026-03-02T11:00:00.000000Z",
            "until": "2026-03-02T12:00:00.000000Z",
            "reason": "weekly",
            "decided_by": {
                "table": "business_hours",
                "id": "8c7e2a51-90a3-4d5c-b9fb-2f6a3c1d4e01",
            },
        },
        "decisions": {
            "greeting": {"winner": None, "pending": [], "actions": None},
            "routing": {"winner": None, "pending": [], "actions": None},
            "transfer": {
                "winner": None,
                "pending": [
                    {
                        "id": "8c7e2a51-90a3-4d5c-b9fb-2f6a3c1d4e02",
                        "waits_for": ["asks_for_person"],
                    }
                ],
                "actions": None,
                "transfer_number": None,
            },
            "hours": {
                "winner": "8c7e2a51-90a3-4d5c-b9fb-2f6a3c1d4e03",
                "pending": [],
                "actions": {"say": "Wir sind um 13 Uhr wieder da.", "take_message": True},
            },
        },
        "trace": [
            {
                "id": "8c7e2a51-90a3-4d5c-b9fb-2f6a3c1d4e02",
                "rule_type": "transfer",
                "result": "pending",
                "value": "unknown",
                "conditions": {"asks_for_person": "unknown"},
            },
            {
                "id": "8c7e2a51-90a3-4d5c-b9fb-2f6a3c1d4e03",
                "rule_type": "hours",
                "result": "won",
                "value": "true",
                "conditions": {"outside_business_hours": "true"},
            },
        ],
        "derived": ["first_time_caller"],
        "facts": {"caller": "+493012345678", "first_time_caller": True, "language": "de-DE"},
        "settings_version": "5f1d8e0c7b3a49e2a6c4d9018b7f3e25",
        "voice_settings": {
            "voice_model": "neural",
            "voice_name": "Nova",
            "speech_speed": 1,
            "language": "de",
            "greeting_message": "Guten Tag, hier ist Rye & Sons.",
        },
        "greeting": {"say": "Guten Tag, hier ist Rye & Sons.", "language": "de"},
    },
    response_only=True,
    status_codes=["200"],
)

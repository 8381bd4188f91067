"""One row of `calls` from one record of a file."""

from decimal import Decimal
from typing import Any, NamedTuple

from calls.claims import split_claim
from calls.intake.imports.leg_rows import Leg, as_parameter, refuse_parts_of_calls, word_of_leg
from database import exact_json


class Row(NamedTuple):
    """A call as it goes into the temporary table, in the order of its columns."""

    row: int
    phone_id: str
    caller_number: str
    call_sid: str
    status: str
    provider_status: str | None
    duration: int
    recording_url: str | None
    transcript: str | None
    ai_summary: str | None
    ai_confidence: Decimal | None
    created_at: str
    metadata: str | None
    tags: list[str] | None
    custom_fields: str | None

    def characters(self) -> int:
        """The number of characters of free text."""
        texts = (self.transcript, self.ai_summary, self.metadata, self.custom_fields)
        return sum(map(len, filter(None, texts)))

    def as_json(self) -> dict[str, Any]:
        """The columns as jsonb_to_recordset() reads them."""
        texts = {name: getattr(self, name) for name in ("metadata", "custom_fields")}
        parsed = {name: exact_json.loads(text) if text else None for name, text in texts.items()}
        return self._asdict() | parsed | {"ai_confidence": self._confidence()}

    def _confidence(self) -> str | None:
        return None if self.ai_confidence is None else str(self.ai_confidence)

    def _metadata(self) -> dict[str, Any]:
        """Without the direction, which the reader writes."""
        metadata = exact_json.loads(self.metadata) if self.metadata else {}
        return {name: value for name, value in metadata.items() if name != "direction"}

    def provider_sid(self) -> str:
        """The call's SID as the provider writes it, also of a claim."""
        return split_claim(self.call_sid)[0]

    def is_claim(self) -> bool:
        return self.provider_sid() != self.call_sid

    def has_metadata(self) -> bool:
        return any(part is not None for part in (self.metadata, self.tags, self.custom_fields))

    def as_leg(self, parent: str) -> Leg:
        """The row as a further state of a leg that is known already. Raises Rejected."""
        written = self._asdict() | {"metadata": self._metadata()}
        refuse_parts_of_calls(written)
        return Leg.read(
            self.row,
            self.phone_id,
            {
                "CallSid": self.provider_sid(),
                "ParentCallSid": parent,
                "CallStatus": word_of_leg(self.status, self.provider_status),
                "CallDuration": str(self.duration) if self.duration else None,
                "StartTime": as_parameter(self.created_at),
                "RecordingUrl": self.recording_url,
            },
        )

"""The settings of lines as they are stored, in one statement."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from database.exact_json import ExactDecoder
from database.prepared import Statement
from decisions.decision import PreparedLine, prepare
from decisions.line_settings import LineSettings
from decisions.settings_document import line_settings

# Of jsonb, whose text is one for one value, whatever the session's time zone is.
SETTINGS = Statement(
    """
SELECT p.id, jsonb_build_object(
    'timezone', p.timezone,
    'voice_settings', (
        SELECT to_jsonb(v) - '{id,phone_id,updated_at}'::text[]
        FROM voice_settings AS v WHERE v.phone_id = p.id),
    'transfer_places', (
        SELECT coalesce(jsonb_object_agg(t.name, t.number), '{}')
        FROM transfer_places AS t WHERE t.phone_id = p.id),
    'business_hours', (
        SELECT coalesce(jsonb_agg(to_jsonb(h) - 'phone_id' ORDER BY h.id), '[]')
        FROM business_hours AS h WHERE h.phone_id = p.id),
    'business_hours_intervals', (
        SELECT coalesce(jsonb_agg(to_jsonb(i) - 'phone_id' ORDER BY i.id), '[]')
        FROM business_hours_intervals AS i WHERE i.phone_id = p.id),
    'special_days', (
        SELECT coalesce(jsonb_agg(to_jsonb(s) - 'phone_id' || jsonb_build_object('intervals', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'open_time', o.open_time, 'close_time', o.close_time) ORDER BY o.open_time), '[]')
            FROM special_day_intervals AS o
            WHERE o.phone_id = p.id AND o.special_day_id = s.id)) ORDER BY s.id), '[]')
        FROM special_days AS s WHERE s.phone_id = p.id),
    'conversation_rules', (
        SELECT coalesce(jsonb_agg(to_jsonb(r) - 'phone_id' || jsonb_build_object(
            'created_at', to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            ) ORDER BY r.id), '[]')
        FROM conversation_rules AS r WHERE r.phone_id = p.id)
)::text
FROM phone_numbers AS p WHERE p.id = ANY (%(lines)s)
""",
    lines="text[]",
)


@dataclass(frozen=True)
class StoredSettings:
    """All that a decision about a line's calls depends on, as JSON and as the engine reads it."""

    text: str

    @cached_property
    def version(self) -> str:
        """32 hexadecimal digits, the same for the same settings."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]

    @cached_property
    def document(self) -> dict[str, Any]:
        """The rows by their tables, without phone_id; `voice_settings` may be null.

        `transfer_places` has the number of each name.
        """
        document: dict[str, Any] = json.loads(self.text, cls=ExactDecoder)
        return document

    @cached_property
    def line_settings(self) -> LineSettings:
        return line_settings(self.document)

    @cached_property
    def prepared(self) -> PreparedLine:
        """Raises what decisions.decision.prepare raises."""
        return prepare(self.line_settings)


def settings_of(phone_id: str) -> StoredSettings | None:
    """Those of a line of the scope; None where there is no such line."""
    return settings_of_lines([phone_id]).get(phone_id)


def settings_of_lines(lines: Iterable[str]) -> dict[str, StoredSettings]:
    """By line, of those in the scope."""
    rows = SETTINGS.fetch_all({"lines": list(lines)})
    return {line: StoredSettings(text) for line, text in rows}

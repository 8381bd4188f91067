"""The metadata, tags and custom fields of a call."""

import uuid
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb
from rest_framework import serializers

from api.serializer_fields import ObjectField, StrictSerializer
from calls.api.serializers import MAX_OBJECT_LENGTH, MAX_TAG_LENGTH, MAX_TAGS
from calls.models import Call, CallMetadata
from calls.outcomes import FACTS_HELP
from database import exact_json
from database.prepared import Statement

# A call without a row has nothing; an archived one carries its own. Both by primary key.
READ = Statement(
    """
SELECT c.id, coalesce(m.metadata, '{}'), coalesce(m.tags, '{}'), coalesce(m.custom_fields, '{}'),
    false
FROM calls AS c LEFT JOIN call_metadata AS m ON m.call_id = c.id WHERE c.id = %(id)s
UNION ALL
SELECT id, metadata, tags, custom_fields, true FROM calls_archive WHERE id = %(id)s
""",
    id="uuid",
)
WRITE = """
INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields)
SELECT id, phone_id, %(metadata)s, %(tags)s::text[], %(custom_fields)s
FROM calls WHERE id = %(id)s
ON CONFLICT (call_id) DO UPDATE SET metadata = excluded.metadata, tags = excluded.tags,
    custom_fields = excluded.custom_fields
"""


class MetadataSerializer(serializers.Serializer[Any]):
    call_id = serializers.UUIDField()
    metadata = ObjectField()
    tags = serializers.ListField(child=serializers.CharField())
    custom_fields = ObjectField()
    archived = serializers.BooleanField()


class TagChangeSerializer(StrictSerializer):
    add = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TAG_LENGTH), max_length=MAX_TAGS, required=False
    )
    remove = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TAG_LENGTH), max_length=MAX_TAGS, required=False
    )


class MetadataChangeSerializer(StrictSerializer):
    """Merge patches: a key with null is removed, one that is left out stays."""

    metadata = ObjectField(required=False, help_text=FACTS_HELP)
    custom_fields = ObjectField(required=False)
    tags = TagChangeSerializer(required=False)


def read_metadata(call_id: uuid.UUID) -> dict[str, Any] | None:
    rows = READ.fetch_all({"id": call_id})
    if not rows:
        return None
    [(key, metadata, tags, custom_fields, archived)] = rows
    return {
        "call_id": str(key),
        "metadata": _decoded(metadata),
        "tags": tags,
        "custom_fields": _decoded(custom_fields),
        "archived": archived,
    }


def change_metadata(
    call_id: uuid.UUID,
    *,
    metadata: dict[str, Any] | None = None,
    custom_fields: dict[str, Any] | None = None,
    tags: dict[str, list[str]] | None = None,
) -> bool:
    """Merge into the metadata of a live call of the scope; False without one.

    Runs in a transaction, with the call's row locked: a change at the same time comes after.
    """
    if not Call.objects.select_for_update().filter(pk=call_id).values_list("pk"):
        return False
    known = CallMetadata.objects.filter(pk=call_id).first() or CallMetadata()
    merged = {
        "metadata": merge(known.metadata, metadata or {}),
        "custom_fields": merge(known.custom_fields, custom_fields or {}),
    }
    change = tags or {}
    kept = [tag for tag in known.tags if tag not in change.get("remove", [])]
    all_tags = list(dict.fromkeys([*kept, *change.get("add", [])]))
    errors = {
        name: [f"At most {MAX_OBJECT_LENGTH} characters of JSON in total."]
        for name, value in merged.items()
        if len(exact_json.dumps(value, ensure_ascii=False)) > MAX_OBJECT_LENGTH
    }
    if len(all_tags) > MAX_TAGS:
        errors["tags"] = [f"A call has at most {MAX_TAGS} tags."]
    if errors:
        raise serializers.ValidationError(errors)
    with connection.cursor() as cursor:
        wrapped: dict[str, Any] = {
            name: Jsonb(value, exact_json.dumps) for name, value in merged.items()
        }
        cursor.execute(WRITE, {"id": call_id, "tags": all_tags, **wrapped})
    return True


def merge(target: Any, patch: Any) -> Any:
    """MergePatch of RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def _decoded(value: Any) -> Any:
    """Django's cursors leave jsonb as text."""
    return exact_json.loads(value) if isinstance(value, str) else value

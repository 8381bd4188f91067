"""One call and its metadata over the API."""

import uuid
from typing import Any

import pytest

from calls.api.metadata import merge
from calls.models import Call, CallMetadata
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.api_client import Api, api_of
from tests.factories import archive, make_call


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line)


def test_call_live_and_archived(api: Api, line: PhoneNumber) -> None:
    call = make_call(line, transcript="Hi")
    live = api.get(f"/calls/{call.pk}/").json()
    assert (live["archived"], live["transcript"]) == (False, "Hi")
    archive(call)
    archived = api.get(f"/calls/{call.pk}/").json()
    assert archived["archived"] is True
    assert archived | {"archived": False, "updated_at": ""} == live | {"updated_at": ""}
    assert api.patch(f"/calls/{call.pk}/", {"ai_summary": "x"}).status_code == 409
    assert api.get(f"/calls/{call.pk}/metadata/").json()["archived"] is True
    assert api.patch(f"/calls/{call.pk}/metadata/", {"metadata": {}}).status_code == 409
    assert api.get(f"/calls/{uuid.uuid4()}/").status_code == 404
    assert api.patch(f"/calls/{uuid.uuid4()}/", {"ai_summary": "x"}).status_code == 404
    assert api.get("/calls/not-a-uuid/").status_code == 404


def test_a_dashboard_changes_the_summary_alone(api: Api, line: PhoneNumber) -> None:
    path = f"/calls/{make_call(line).pk}/"
    assert api.patch(path, {"ai_summary": "ParsedRequest for bread."}).json()["ai_summary"]
    assert api.patch(path, {"ai_summary": None}).json()["ai_summary"] is None
    for field in ("status", "duration", "transcript", "phone_id", "created_at"):
        response = api.patch(path, {field: "x"})
        assert response.json()["errors"][0]["pointer"] == f"#/{field}"


def test_metadata_is_merged(api: Api, line: PhoneNumber) -> None:
    call = make_call(line)
    path = f"/calls/{call.pk}/metadata/"
    empty: dict[str, Any] = {"metadata": {}, "tags": [], "custom_fields": {}}
    assert api.get(path).json() == {"call_id": str(call.pk), **empty, "archived": False}
    with tenant(line.pk):
        assert not CallMetadata.objects.exists()
    api.patch(path, {"metadata": {"a": {"b": 1, "c": 2}}, "tags": {"add": ["x", "y", "x"]}})
    changed = api.patch(
        path,
        {"metadata": {"a": {"b": None}}, "custom_fields": {"n": 1.5}, "tags": {"remove": ["x"]}},
        content_type="application/merge-patch+json",
    )
    assert changed.status_code == 200
    body = changed.json()
    assert (body["metadata"], body["tags"]) == ({"a": {"c": 2}}, ["y"])
    assert body["custom_fields"] == {"n": 1.5}
    assert api.get(path).json() == body


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"metadata": []}, "#/metadata"),
        ({"tags": ["x"]}, "#/tags"),
        ({"tags": {"set": ["x"]}}, "#/tags/set"),
        ({"tags": {"add": ["x" * 101]}}, "#/tags/add/0"),
        ({"metadata": {"a": "x\x00"}}, "#/metadata/a"),
        ({"metadata": {"\x01": 1}}, "#/metadata"),
        ({"metadata": {"a": "x" * 100_001}}, "#/metadata"),
        ({"tags": {"add": [f"t{n}" for n in range(100)]}}, "#/tags"),
        ({"notes": {}}, "#/notes"),
    ],
)
def test_wrong_metadata_is_pointed_at(
    api: Api, line: PhoneNumber, change: Any, pointer: str
) -> None:
    call = make_call(line, metadata={"tags": ["kept"]})
    response = api.patch(f"/calls/{call.pk}/metadata/", change)
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    with tenant(line.pk):
        assert CallMetadata.objects.get().tags == ["kept"]


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # the examples of RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_of_the_rfc(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


def test_every_way_to_anothers_call_is_404(
    api: Api, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    theirs, old = make_call(other_line, ai_summary="theirs"), make_call(other_line)
    archive(old)
    for call in (theirs, old):
        for path in (f"/calls/{call.pk}/", f"/calls/{call.pk}/metadata/"):
            answers = [api.get(path), api.patch(path, {}), api.patch(path, {"ai_summary": "x"})]
            assert [answer.status_code for answer in answers[:2]] == [404, 404]
            assert answers[2].status_code in (400, 404)
            assert b"theirs" not in b"".join(answer.content for answer in answers)
    with tenant(other_line.pk):
        assert Call.objects.get().ai_summary == "theirs"

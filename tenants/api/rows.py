"""Endpoints of the rows of a table: list, add, read, change, delete."""

import uuid
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.db import transaction
from django.db.models import Model
from drf_spectacular.utils import extend_schema_view, inline_serializer
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer

from api.documentation import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    NOTHING,
    UNCHANGED,
    documented,
)
from api.errors import Conflict
from api.idempotency import idempotent
from api.permissions import KeyScope
from api.preconditions import answer_if_changed, etag_of, require_match
from api.views import LineView
from tenants.models import PhoneNumber

V = TypeVar("V", bound=type[LineView])

MAX_ROWS = 1000  # of one line; a list is one answer without pages


def document_collection(name: str, serializer: Any, listed: Any) -> Callable[[V], V]:
    """GET and POST of a CollectionView in the OpenAPI document."""
    return extend_schema_view(
        get=documented(
            {200: listed, 304: UNCHANGED},
            parameters=[IF_NONE_MATCH],
            operation_id=f"{name}_list",
        ),
        post=documented(
            {201: serializer},
            request=serializer,
            refusals=[409, 422],
            parameters=[IDEMPOTENCY_KEY],
            operation_id=f"{name}_create",
        ),
    )


def document_row(serializer: Any, *, may_be_in_use: bool = False) -> Callable[[V], V]:
    """The methods of a RowView in the OpenAPI document; a row in use is not deleted: 409."""
    kept = [409, 412] if may_be_in_use else [412]
    change = documented(
        {200: serializer}, request=serializer, refusals=[409, 412], parameters=[IF_MATCH]
    )
    return extend_schema_view(
        get=documented({200: serializer, 304: UNCHANGED}, parameters=[IF_NONE_MATCH]),
        put=change,
        patch=change,
        delete=documented({204: NOTHING}, refusals=kept, parameters=[IF_MATCH]),
    )


def results_of(name: str, serializer: Any) -> Any:
    """{"results": [...]}, named for the document."""
    return inline_serializer(name, {"results": serializer(many=True)})


class CollectionView(LineView):
    """GET lists all rows, POST adds one."""

    scopes = {"GET": KeyScope.READ, "POST": KeyScope.WRITE}
    model: ClassVar[type[Model]]
    serializer: ClassVar[type[ModelSerializer[Any]]]
    max_rows = MAX_ROWS

    def rows(self) -> Any:
        return self.model._default_manager.all()

    def read(self) -> dict[str, Any]:
        return {"results": self.serializer(self.rows(), many=True).data}

    def get(self, request: Request) -> Response:
        return answer_if_changed(request, self.read())

    def post(self, request: Request) -> Response:
        return idempotent(request, lambda: self._add(request))

    def _add(self, request: Request) -> Response:
        added = self.serializer(data=request.data)
        added.is_valid(raise_exception=True)
        PhoneNumber.objects.select_for_update(no_key=True).get()  # one addition at a time
        if self.model._default_manager.count() >= self.max_rows:
            raise Conflict(f"A line can have at most {self.max_rows} of these. Delete one first.")
        row: Any = added.save()
        row.refresh_from_db()
        data = self.serializer(row).data
        headers = {"Location": f"{request.path}{row.pk}/", "ETag": etag_of(data)}
        return Response(data, status=201, headers=headers)


class RowView(LineView):
    """One row by its id."""

    scopes = {
        "GET": KeyScope.READ,
        "PUT": KeyScope.WRITE,
        "PATCH": KeyScope.WRITE,
        "DELETE": KeyScope.WRITE,
    }
    model: ClassVar[type[Model]]
    serializer: ClassVar[type[ModelSerializer[Any]]]

    def find(self, pk: uuid.UUID, *, lock: bool) -> Any:
        rows: Any = self.model._default_manager.filter(pk=pk)
        row = (rows.select_for_update() if lock else rows).first()
        if row is None:
            raise NotFound(f"{str(self.model._meta.verbose_name).capitalize()} not found.")
        return row

    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return answer_if_changed(request, self.serializer(self.find(pk, lock=False)).data)

    def put(self, request: Request, pk: uuid.UUID) -> Response:
        return self._change(request, pk, partial=False)

    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        return self._change(request, pk, partial=True)

    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        with transaction.atomic():
            row = self.find(pk, lock=True)
            require_match(request, self.serializer(row).data)
            row.delete()
        return Response(status=204)

    def _change(self, request: Request, pk: uuid.UUID, *, partial: bool) -> Response:
        with transaction.atomic():
            row = self.find(pk, lock=True)
            require_match(request, self.serializer(row).data)
            changed = self.serializer(row, data=request.data, partial=partial)
            changed.is_valid(raise_exception=True)
            row = changed.save()
            row.refresh_from_db()
        data = self.serializer(row).data
        return Response(data, headers={"ETag": etag_of(data)})

"""The rules and business hours of a line."""

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
    ANY_OBJECT,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    NOTHING,
    UNCHANGED,
    documented,
)
from api.errors import Conflict, Invalid
from api.idempotency import idempotent
from api.permissions import KeyScope
from api.preconditions import answer_if_changed, etag_of, require_match
from api.views import LineView
from tenants import rules
from tenants.api.serializers import (
    BusinessHoursSerializer,
    ConversationRuleSerializer,
    OrderSerializer,
    WeekSerializer,
)
from tenants.models import BusinessHours, ConversationRule, PhoneNumber

V = TypeVar("V", bound=type[LineView])

MAX_RULES = 1000  # of one line; a list is one answer without pages


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
    max_rows = MAX_RULES

    def read(self) -> dict[str, Any]:
        rows = self.model._default_manager.all()
        return {"results": self.serializer(rows, many=True).data}

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


RULES = results_of("ConversationRules", ConversationRuleSerializer)
WEEK = results_of("BusinessWeek", BusinessHoursSerializer)


@document_collection("conversation_rules", ConversationRuleSerializer, RULES)
class ConversationRules(CollectionView):
    """In the order of evaluation: highest priority first."""

    model = ConversationRule
    serializer = ConversationRuleSerializer


@document_row(ConversationRuleSerializer)
class ConversationRuleView(RowView):
    model = ConversationRule
    serializer = ConversationRuleSerializer


class ConversationRuleOrder(LineView):
    """POST the ids of all rules in the desired order; their priorities become n, n-1, … 1."""

    scopes = {"POST": KeyScope.WRITE}

    @documented(
        {200: RULES}, request=OrderSerializer, refusals=[422], parameters=[IDEMPOTENCY_KEY]
    )
    def post(self, request: Request) -> Response:
        return idempotent(request, lambda: self._reorder(request))

    def _reorder(self, request: Request) -> Response:
        order = OrderSerializer(data=request.data)
        order.is_valid(raise_exception=True)
        wanted = order.validated_data["rules"]
        # Locked in the same order by all requests.
        rows = {
            rule.pk: rule for rule in ConversationRule.objects.order_by("pk").select_for_update()
        }
        if len(set(wanted)) != len(wanted) or set(wanted) != rows.keys():
            detail = "List every rule of the line exactly once."
            raise Invalid([{"pointer": "#/rules", "detail": detail}])
        for position, pk in enumerate(wanted):
            rows[pk].priority = len(wanted) - position
        ConversationRule.objects.bulk_update(rows.values(), ["priority"])
        results = ConversationRuleSerializer([rows[pk] for pk in wanted], many=True).data
        return Response({"results": results})


class RuleSchemas(LineView):
    """The JSON Schema of each rule type's conditions and actions."""

    scopes = {"GET": KeyScope.READ}

    @documented({200: ANY_OBJECT, 304: UNCHANGED}, parameters=[IF_NONE_MATCH])
    def get(self, request: Request) -> Response:
        return answer_if_changed(request, rules.schemas())


@document_collection("business_hours", BusinessHoursSerializer, WEEK)
class BusinessHoursWeek(CollectionView):
    """PUT replaces the whole week at once."""

    scopes = {**CollectionView.scopes, "PUT": KeyScope.WRITE}
    model = BusinessHours
    serializer = BusinessHoursSerializer
    max_rows = 7

    @documented(
        {200: WEEK},
        request=WeekSerializer,
        refusals=[412],
        parameters=[IF_MATCH],
        operation_id="business_week_update",
    )
    def put(self, request: Request) -> Response:
        week = WeekSerializer(data=request.data)
        week.is_valid(raise_exception=True)
        with transaction.atomic():
            PhoneNumber.objects.select_for_update().get()  # one week at a time
            require_match(request, self.read())
            days = {day["day_of_week"]: day for day in week.validated_data["days"]}
            BusinessHours.objects.exclude(day_of_week__in=days).delete()
            BusinessHours.objects.bulk_create(
                [BusinessHours(**day) for day in days.values()],
                update_conflicts=True,
                unique_fields=["phone", "day_of_week"],
                update_fields=["open_time", "close_time", "timezone", "is_closed"],
            )
            data = self.read()
        return Response(data, headers={"ETag": etag_of(data)})


@document_row(BusinessHoursSerializer)
class BusinessHoursDay(RowView):
    model = BusinessHours
    serializer = BusinessHoursSerializer

"""The conversation rules of a line."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.documentation import (
    ANY_OBJECT,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    UNCHANGED,
    documented,
)
from api.errors import Invalid
from api.idempotency import idempotent
from api.permissions import KeyScope
from api.preconditions import answer_if_changed
from api.views import LineView
from tenants import rules
from tenants.api.rows import (
    CollectionView,
    RowView,
    document_collection,
    document_row,
    results_of,
)
from tenants.api.serializers import ConversationRuleSerializer, OrderSerializer
from tenants.models import ConversationRule
from tenants.rule_order import NotEveryRule, set_order

RULES = results_of("ConversationRules", ConversationRuleSerializer)


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
        try:
            ordered = set_order(order.validated_data["rules"])
        except NotEveryRule as error:
            detail = "List every rule of the line exactly once."
            raise Invalid([{"pointer": "#/rules", "detail": detail}]) from error
        results = ConversationRuleSerializer(ordered, many=True).data
        return Response({"results": results})


class RuleSchemas(LineView):
    """The JSON Schema of each rule type's conditions and actions."""

    scopes = {"GET": KeyScope.READ}

    @documented({200: ANY_OBJECT, 304: UNCHANGED}, parameters=[IF_NONE_MATCH])
    def get(self, request: Request) -> Response:
        return answer_if_changed(request, rules.schemas())

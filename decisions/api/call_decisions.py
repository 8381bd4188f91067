"""What was decided for a call."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from api.documentation import documented
from api.permissions import KeyScope
from api.serializer_fields import MomentField
from api.views import LineView
from calls.api.views import no_such_call
from calls.decisions import CallDecision, decisions_of
from calls.models import Call, CallArchive
from decisions.api.answers import CallDecisionSerializer
from tenants.api.rows import results_of

DECISIONS = results_of("CallDecisions", CallDecisionSerializer)


class CallDecisions(LineView):
    """What was decided for a call, live or archived, in the order in which it was asked."""

    scopes = {"GET": KeyScope.READ}

    @documented({200: DECISIONS})
    def get(self, request: Request, call_id: uuid.UUID) -> Response:
        call = (
            Call.objects.filter(pk=call_id).first()
            or CallArchive.objects.filter(pk=call_id).first()
        )
        if call is None:
            raise no_such_call()
        return Response({"results": [_as_kept(decision) for decision in decisions_of(call)]})


def _as_kept(decision: CallDecision) -> dict[str, Any]:
    """As CallDecisionSerializer describes it."""
    moment = MomentField().to_representation
    return {
        "at": moment(decision.at),
        "created_at": moment(decision.created_at),
        "settings_version": decision.settings_version,
        "facts": decision.facts,
        "answer": decision.answer,
    }

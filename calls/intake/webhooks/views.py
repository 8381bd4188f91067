"""The callbacks of the telephony provider: progress and recordings of calls."""

import logging
from contextlib import suppress

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from calls.intake.models import EventKind, EventOutcome, RefusalCause
from calls.intake.webhooks.callback import WRONG_SIGNATURE, Callback, Refused
from calls.intake.webhooks.deadline import answer_503_without_database, service_unavailable
from calls.intake.webhooks.events import read_address
from calls.intake.webhooks.inbox import Event, SignerChanged, classify, store
from calls.intake.webhooks.refusals import UNSIGNED, count_refusal, probable_cause
from calls.intake.webhooks.signers import signers
from tenants.encryption import NoEncryptionKey, UnreadableSecret

logger = logging.getLogger("replytics.intake")


@csrf_exempt
@require_POST
@answer_503_without_database
def voice(request: HttpRequest) -> HttpResponse:
    return receive(request, EventKind.VOICE)


@csrf_exempt
@require_POST
@answer_503_without_database
def recording(request: HttpRequest) -> HttpResponse:
    return receive(request, EventKind.RECORDING)


def receive(request: HttpRequest, kind: EventKind) -> HttpResponse:
    """204: stored, and applied if possible. 400: stored, repeating it is useless. 403: not sent by
    the provider, nothing stored."""
    received_at = timezone.now()
    try:
        callback = Callback(request)
        address = read_address(kind, callback.parameters)
        for signer in signers(address):
            if is_signed := callback.is_signed(signer.tokens):
                event = classify(
                    kind,
                    callback.parameters,
                    signer,
                    received_at=received_at,
                    address=address,
                    digest=callback.digest(),
                )
                with suppress(SignerChanged):
                    return _answer(event, store(event))
        if is_signed:
            return service_unavailable("the line or its tokens are being changed")
        count_refusal(*probable_cause(callback, signer, request), address)
        logger.warning("Rejected a %s callback: %s", kind, WRONG_SIGNATURE)
        return JsonResponse({"detail": WRONG_SIGNATURE}, status=403)
    except Refused as refused:
        missing = refused.reason == WRONG_SIGNATURE
        if missing:
            count_refusal(RefusalCause.NO_SIGNATURE, UNSIGNED)
        else:
            count_refusal(RefusalCause.UNREADABLE, refused.reason)
        logger.warning("Rejected a %s callback: %s", kind, refused.reason)
        return JsonResponse({"detail": refused.reason}, status=refused.status)
    except (NoEncryptionKey, UnreadableSecret) as error:
        return service_unavailable(str(error))


def _answer(event: Event, outcome: EventOutcome) -> HttpResponse:
    if outcome is EventOutcome.MALFORMED:
        return JsonResponse({"detail": event.reason or "The event is malformed."}, status=400)
    return HttpResponse(status=204)

"""The server of bench.intake: the product, and beside it the view of Twilio's tutorial."""

from importlib import import_module

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator

from replytics.wsgi import application as application


@csrf_exempt
@require_POST
def naive(request: HttpRequest) -> HttpResponse:
    """A signature check and one INSERT, under a SID of its own, since a second one would fail."""
    from calls.intake.statuses import our_status
    from calls.models import Call
    from tenancy import tenant

    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN[0])
    url = settings.PUBLIC_URL + request.path
    if not validator.validate(url, request.POST, request.headers["X-Twilio-Signature"]):
        return HttpResponse(status=403)
    # bench.data numbers its lines; a look-up is what a real one would have to do.
    phone_id = f"pn_{int(request.POST['To'][-7:]) - 5_550_000}"
    with tenant(phone_id):
        Call.objects.create(
            phone_id=phone_id,
            caller_number=request.POST["From"],
            call_sid=f"{request.POST['CallSid']}.{request.POST['CallStatus']}",
            status=our_status(request.POST["CallStatus"]) or "ringing",
        )
    return HttpResponse(status=204)


# Not imported above: the models it leads to are there only after the application was made.
import_module("replytics.urls").urlpatterns.append(path("bench/naive/", naive))

"""The line itself and its voice: one resource each."""

from typing import Any, ClassVar

from django.db import connection, transaction
from django.db.models import Model
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer

from api.documentation import IF_MATCH, IF_NONE_MATCH, UNCHANGED, documented
from api.permissions import KeyScope
from api.preconditions import answer_if_changed, etag_of, require_match
from api.views import LineView
from tenancy import current_scope
from tenants.api.serializers import PhoneNumberSerializer, VoiceSettingsSerializer
from tenants.models import PhoneNumber, VoiceSettings, default_voice

# With the defaults of the table; concurrent first requests create one row.
MAKE_VOICE_SETTINGS = """
INSERT INTO voice_settings (phone_id, voice_name) VALUES (%(line)s, %(voice)s)
ON CONFLICT (phone_id) DO NOTHING
"""


class SettingView(LineView):
    """The single row of a model that a line has."""

    model: ClassVar[type[Model]]
    serializer: ClassVar[type[ModelSerializer[Any]]]

    def find(self, *, lock: bool) -> Any:
        rows: Any = self.model._default_manager.all()
        return (rows.select_for_update() if lock else rows).get()

    def read(self, request: Request) -> Response:
        return answer_if_changed(request, self.serializer(self.find(lock=False)).data)

    def change(self, request: Request, *, partial: bool) -> Response:
        with transaction.atomic():
            row = self.find(lock=True)
            require_match(request, self.serializer(row).data)
            changed = self.serializer(row, data=request.data, partial=partial)
            changed.is_valid(raise_exception=True)
            row = changed.save()
            row.refresh_from_db()
        data = self.serializer(row).data
        return Response(data, headers={"ETag": etag_of(data)})


class PhoneNumberView(SettingView):
    scopes = {"GET": KeyScope.READ, "PATCH": KeyScope.WRITE}
    model = PhoneNumber
    serializer = PhoneNumberSerializer

    @documented({200: PhoneNumberSerializer, 304: UNCHANGED}, parameters=[IF_NONE_MATCH])
    def get(self, request: Request) -> Response:
        return self.read(request)

    @documented(
        {200: PhoneNumberSerializer},
        request=PhoneNumberSerializer,
        refusals=[412],
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request) -> Response:
        return self.change(request, partial=True)


class VoiceSettingsView(SettingView):
    """Every line has settings: the defaults, until it changes them."""

    scopes = {"GET": KeyScope.READ, "PUT": KeyScope.WRITE, "PATCH": KeyScope.WRITE}
    model = VoiceSettings
    serializer = VoiceSettingsSerializer

    def find(self, *, lock: bool) -> Any:
        try:
            return super().find(lock=lock)
        except VoiceSettings.DoesNotExist:
            with connection.cursor() as cursor:
                values = {"line": current_scope().phone_id, "voice": default_voice()}
                cursor.execute(MAKE_VOICE_SETTINGS, values)
            return super().find(lock=lock)

    @documented({200: VoiceSettingsSerializer, 304: UNCHANGED}, parameters=[IF_NONE_MATCH])
    def get(self, request: Request) -> Response:
        return self.read(request)

    @documented(
        {200: VoiceSettingsSerializer},
        request=VoiceSettingsSerializer,
        refusals=[412],
        parameters=[IF_MATCH],
    )
    def put(self, request: Request) -> Response:
        return self.change(request, partial=False)

    @documented(
        {200: VoiceSettingsSerializer},
        request=VoiceSettingsSerializer,
        refusals=[412],
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request) -> Response:
        return self.change(request, partial=True)

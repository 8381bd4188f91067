"""The page that moves a number from one line to another, in the admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from backoffice.form_fields import KeyField
from backoffice.refusals import explain
from tenancy import current_scope
from tenants.models import NumberAssignment, PhoneNumber
from tenants.numbers import both_forms, one_form


class NumberMoved(Exception):
    """One of the lines has another number by now, or is deleted."""


class MoveForm(forms.Form):
    """To which line, and which number the line gets that loses its own."""

    def __init__(self, line: PhoneNumber, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.line = line
        key = NumberAssignment._meta.get_field("phone")
        self.fields["receiver"] = KeyField(
            PhoneNumber.objects.exclude(pk=line.pk),
            label=f"Line that gets {line.number}",
            widget=AutocompleteSelect(key, admin.site, attrs={"data-width": "100%"}),
            error_messages={"invalid_choice": "Choose another line."},
        )
        self.fields["new_number"] = forms.CharField(
            label=f"New number of {line.business_name}",
            validators=PhoneNumber._meta.get_field("number").validators,
        )

    def clean_new_number(self) -> str:
        number: str = self.cleaned_data["new_number"]
        if one_form(number) == one_form(self.line.number):
            raise ValidationError("This is the number that is to move; enter another one.")
        if PhoneNumber.objects.filter(number__in=both_forms(number)).exists():
            raise ValidationError("Another line already has this number.")
        return number


def move_number(line: PhoneNumber, receiver: PhoneNumber, new_number: str) -> None:
    """Give the number of `line` to `receiver`, and new_number to `line`, or neither.

    Both objects say what the caller saw. Raises NumberMoved, with nothing changed, where the rows
    differ by now, and IntegrityError where a line has new_number.
    """
    with transaction.atomic():
        seen = {each.pk: each.number for each in (line, receiver)}
        rows = PhoneNumber.objects.select_for_update().filter(pk__in=seen).order_by("pk")
        if dict(rows.values_list("pk", "number")) != seen:
            raise NumberMoved
        PhoneNumber.objects.filter(pk=line.pk).update(number=new_number)
        PhoneNumber.objects.filter(pk=receiver.pk).update(number=line.number)


def move_number_view(
    model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, object_id: str
) -> HttpResponse:
    """First the form, then both lines by name to confirm, then the move."""
    line = model_admin.get_object(request, unquote(object_id))
    if line is None:
        raise Http404
    if not model_admin.has_change_permission(request, line):
        raise PermissionDenied
    page = reverse("admin:tenants_phonenumber_change", args=[quote(line.pk)])
    if current_scope().phone_id is not None:
        messages.error(request, "A move concerns two lines: leave the line you work in first.")
        return redirect(page)
    form = MoveForm(line, request.POST or None)
    is_valid = form.is_valid()
    if is_valid and "confirmed" in request.POST:
        receiver, number = form.cleaned_data["receiver"], form.cleaned_data["new_number"]
        seen = {"number": line.number, "receiver_number": receiver.number}
        try:
            if any(request.POST.get(name) != value for name, value in seen.items()):
                raise NumberMoved
            move_number(line, receiver, number)
        except NumberMoved:
            messages.error(request, "Not moved: a number has changed meanwhile. Look again.")
        except IntegrityError as error:
            form.add_error("new_number", explain(error, PhoneNumber))
            is_valid = False
        else:
            moved = f"Moved {line.number} to {receiver.business_name}; its own is now {number}."
            got = f"Got {line.number} from {line.business_name} instead of {receiver.number}."
            model_admin.log_change(request, line, moved)
            model_admin.log_change(request, receiver, got)
            messages.success(
                request,
                f"{receiver.business_name} has {line.number} now,"
                f" and {line.business_name} has {number}.",
            )
            return redirect(page)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Move {line.number} to another line",
        "opts": model_admin.opts,
        "original": line,
        "line": line,
        "form": form,
        "media": form.media,
        "is_confirmation": is_valid,
    }
    return TemplateResponse(request, "tenants/move_number.html", context)

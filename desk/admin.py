"""The people who work here and what they may do: Django's own pages in our look."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from desk import jobs as jobs
from desk import line_page as line_page
from tenants.backoffice.modeladmin import LookAdmin

admin.site.unregister([User, Group])


@admin.register(User)
class PeopleAdmin(UserAdmin, LookAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class RolesAdmin(GroupAdmin, LookAdmin):
    pass

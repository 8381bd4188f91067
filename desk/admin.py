"""Users and their roles: Django's own admin pages with Unfold's look."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from backoffice.display import moment
from backoffice.modeladmin import UnfoldModelAdmin
from desk import line_page as line_page

admin.site.unregister([User, Group])


@admin.register(User)
class PeopleAdmin(UserAdmin, UnfoldModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "roles", "email", "last_seen", "is_active", "is_staff")
    list_filter = ("groups", "is_superuser", "is_active", "is_staff")
    search_help_text = "Search by name or email address."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        people: QuerySet[Any] = super().get_queryset(request).prefetch_related("groups")
        return people

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        if user.is_superuser:
            return "Superuser"
        return ", ".join(sorted(group.name for group in user.groups.all())) or "none"

    @admin.display(description="Last login", ordering="last_login")
    def last_seen(self, user: User) -> str:
        return moment(user.last_login)


@admin.register(Group)
class RolesAdmin(GroupAdmin, UnfoldModelAdmin):
    search_help_text = "Search by role name."

"""Saved views of staff."""

from django.contrib.auth.models import User
from django.db import models

from database.columns import NOW


class SavedView(models.Model):
    """The filters of a list under a name: a query string, without rows of any line."""

    shared_because = "a query string of staff; its rows are read in their scope"

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    list = models.TextField(help_text="The model of the list, such as calls.call.")
    name = models.CharField(max_length=60)
    query = models.TextField()
    is_shared = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta:
        db_table = "saved_views"
        ordering = ["name", "id"]
        default_permissions = ()
        permissions = [("share_savedview", "Can share saved views with all staff")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "list", "name"],
                name="saved_views_owner_list_name_key",
                violation_error_message="You already have a view with this name for this list.",
            ),
        ]
        indexes = [
            # Those that everybody sees beside a list.
            models.Index(
                fields=["list"], name="idx_saved_views_shared", condition=models.Q(is_shared=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name

"""The order in which the rules of a line are tried."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from tenants.models import ConversationRule


class NotEveryRule(Exception):
    """The order does not have each rule of the line exactly once."""


def set_order(wanted: Sequence[UUID]) -> list[ConversationRule]:
    """Give the rules of the line in scope the priorities n, n-1, … 1, in the order of these ids.

    Returns them in that order. Raises NotEveryRule, with nothing changed.
    """
    with transaction.atomic():
        # Locked in the same order by all who do this.
        found = ConversationRule.objects.order_by("pk").select_for_update()
        rows = {rule.pk: rule for rule in found}
        if len(set(wanted)) != len(wanted) or set(wanted) != rows.keys():
            raise NotEveryRule
        for position, pk in enumerate(wanted):
            rows[pk].priority = len(wanted) - position
        ConversationRule.objects.bulk_update(rows.values(), ["priority"])
    return [rows[pk] for pk in wanted]

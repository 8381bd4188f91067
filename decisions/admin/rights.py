"""What one must be allowed to see, beside the page itself, to be shown what decisions reveal."""

HOURS = ("tenants.view_businesshours", "tenants.view_specialday")
DECISIONS = (*HOURS, "tenants.view_conversationrule")
PREVIEW = (*DECISIONS, "calls.view_call", "calls.view_callarchive")

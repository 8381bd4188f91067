"""What the pages of the admin show of decisions."""

from decisions.admin import call_why as call_why
from decisions.admin import rule_page as rule_page

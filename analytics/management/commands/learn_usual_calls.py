"""Learn what is usual at each line."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from analytics.line_health.learning import learn_usual_calls
from backoffice.display import plural
from console.progress import progress_bar
from tenancy import all_tenants
from tenants.models import PhoneNumber


class Command(BaseCommand):
    help = (
        "Learn how many calls each line usually has by weekday and hour, from its own history of"
        " 8 weeks, or of 26 where these have few calls. The worker does so every night."
    )

    def handle(self, **options: Any) -> None:
        with all_tenants("learn_usual_calls"):
            every = PhoneNumber.objects.count()
            with progress_bar("Learning", total=every) as update:
                learned = learn_usual_calls(
                    now=timezone.now(), on_lines=lambda lines: update(advance=lines)
                )
        self.stdout.write(
            f"{plural(learned, 'line')} of {every:,} have a baseline; the others have too few"
            " calls, or are quiet."
        )

"""``manage.py delete_expired_sessions``: run it once a day."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from tokens.models import LoginSession

BATCH = 1000  # sessions deleted in one transaction


class Command(BaseCommand):
    help = "Deletes expired login sessions, in batches."

    def handle(self, *args: Any, **options: Any) -> None:
        expired = LoginSession.objects.filter(expires__lte=timezone.now()).order_by("expires")
        deleted = 0
        while count := expired.filter(pk__in=expired.values("pk")[:BATCH]).delete()[0]:
            deleted += count
        self.stdout.write(f"{deleted} sessions deleted.")

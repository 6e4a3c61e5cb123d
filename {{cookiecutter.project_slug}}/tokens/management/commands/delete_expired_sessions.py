"""``manage.py delete_expired_sessions``: run it once a day."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from tokens.models import LoginSession

BATCH = 1000  # sessions deleted in one transaction


class Command(BaseCommand):
    help = "Deletes expired login sessions, in batches."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count the sessions")

    def handle(self, *args: Any, **options: Any) -> None:
        over = LoginSession.objects.filter(expires__lte=timezone.now()).order_by("expires")
        if options["dry_run"]:
            self.stdout.write(f"{over.count()} sessions would be deleted.")
            return
        deleted = 0
        while keys := list(over.values_list("pk", flat=True)[:BATCH]):
            over.filter(pk__in=keys).delete()
            deleted += len(keys)
        self.stdout.write(f"{deleted} sessions deleted.")

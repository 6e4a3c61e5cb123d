"""``manage.py delete_expired_sessions``: clears up, for a daily cron job."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from tokens.models import LoginSession


class Command(BaseCommand):
    help = "Deletes the login sessions whose time is over, in batches."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, delete nothing")
        parser.add_argument("--batch-size", type=int, default=1000, metavar="ROWS")

    def handle(self, *args: Any, **options: Any) -> None:
        over = LoginSession.objects.filter(expires__lte=timezone.now()).order_by("expires")
        if options["dry_run"]:
            self.stdout.write(f"{over.count()} sessions would be deleted.")
            return
        deleted, size = 0, max(1, options["batch_size"])
        while keys := list(over.values_list("pk", flat=True)[:size]):
            over.filter(pk__in=keys).delete()
            deleted += len(keys)
        self.stdout.write(f"{deleted} sessions deleted.")

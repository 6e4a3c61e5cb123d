"""Health checks: whether the process is alive, and whether it can do its work.

They are for proxies and orchestrators, so they are not part of the API's documentation.
"""

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse


@transaction.non_atomic_requests  # it needs no database, even with ATOMIC_REQUESTS
def live(request: HttpRequest) -> HttpResponse:
    """Check that the process is alive."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> HttpResponse:
    """Check that the database can be reached."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})

"""Health checks: whether the process is alive, and whether it can do its work."""

from django.db import connection, transaction
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response


@transaction.non_atomic_requests  # it needs no database, even with ATOMIC_REQUESTS
@extend_schema(operation_id="live", responses={200: dict[str, str]}, tags=["health"])
@api_view()
@authentication_classes([])
@permission_classes([])
def live(request: Request) -> Response:
    """Check that the process is alive."""
    return Response({"status": "ok"})


@extend_schema(operation_id="ready", responses={200: dict[str, str]}, tags=["health"])
@api_view()
@authentication_classes([])
@permission_classes([])
def ready(request: Request) -> Response:
    """Check that the database can be reached."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Response({"status": "ok"})

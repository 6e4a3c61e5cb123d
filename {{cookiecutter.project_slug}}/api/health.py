"""Whether the process lives, and whether it can do its work."""

from django.db import connection
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response


@extend_schema(operation_id="live", responses={200: dict[str, str]}, tags=["health"])
@api_view()
@authentication_classes([])
@permission_classes([])
def live(request: Request) -> Response:
    """Answers while the process lives."""
    return Response({"status": "ok"})


@extend_schema(operation_id="ready", responses={200: dict[str, str]}, tags=["health"])
@api_view()
@authentication_classes([])
@permission_classes([])
def ready(request: Request) -> Response:
    """Answers 200 while the database can be reached."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Response({"status": "ok"})

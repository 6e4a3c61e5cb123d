"""Whether the process lives, and whether it can do its work."""

from django.conf import settings
from django.db import connection
from drf_spectacular.utils import extend_schema
from redis import Redis
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class LiveView(APIView):
    """Answers while the process lives."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(responses={200: dict[str, str]}, tags=["health"])
    def get(self, request: Request) -> Response:
        self.check()
        return Response({"status": "ok"})

    def check(self) -> None:
        """Raises what makes the answer 503."""


class ReadyView(LiveView):
    """Answers 200 while the database, and Redis if configured, can be reached."""

    def check(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if settings.REDIS_URL:
            limits = {"socket_timeout": 2, "socket_connect_timeout": 2}
            with Redis.from_url(settings.REDIS_URL, **limits) as redis:
                redis.ping()

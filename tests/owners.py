"""Views that owners add to a project: slow ones, streams and uploads."""

from __future__ import annotations

from servers import Project

OWNERS = """
import time

from django.db import connection
from django.http import StreamingHttpResponse
from django.urls import path
from rest_framework.decorators import api_view, parser_classes, permission_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from users.models import User


@api_view()
@permission_classes([])
def long(request):
    with open("arrived", "a") as file:
        file.write(request.query_params.get("id", "") + "\\n")
    User.objects.count()
    time.sleep(float(request.query_params["seconds"]))
    return Response()


@api_view()
def stream(request):
    def lines():
        for number in range(int(request.query_params["lines"])):
            yield f"{number} {User.objects.count()}\\n"
            time.sleep(0.2)

    return StreamingHttpResponse(lines())


@api_view(["POST"])
@parser_classes([MultiPartParser])
@permission_classes([])
def upload(request):
    return Response({"size": sum(map(len, request.data["file"].chunks()))})


@api_view(["GET", "POST"])
@permission_classes([])
def meta(request):
    return Response({name: str(value) for name, value in request.META.items()})


views = [
    path("own/long/", long),
    path("own/stream/", stream),
    path("own/upload/", upload),
    path("own/meta/", meta),
]
"""


def add_owners_views(project: Project) -> None:
    (project.folder / "owner.py").write_text(OWNERS)
    views = "import owner\n\nurlpatterns = [*owner.views,"
    project.edit("config/urls.py", r"urlpatterns = \[", views)

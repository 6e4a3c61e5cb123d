"""What every request meets, whatever view it is for."""

from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware

from api.logs import request_id


def request_id_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Gives every request an id of its own, and says it in ``X-Request-ID``.

    Most answers are about a token or a person, so none goes into a cache unless its
    view says otherwise (RFC 6749 section 5.1).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id.set(uuid4().hex)
        response = get_response(request)
        response.headers["X-Request-ID"] = request_id.get()
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


class SlashForReaders(CommonMiddleware):
    """Django's, which adds the slash that an address lacks, but to reads only.

    Clients that send something would follow the redirect without their body.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in ("GET", "HEAD") and super().should_redirect_with_slash(request)

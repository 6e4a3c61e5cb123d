"""Django's middleware, where an API needs it to do less."""

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware


class SlashForReaders(CommonMiddleware):
    """Django's, which adds the slash that an address lacks, but to reads only.

    Clients that send something would follow the redirect without their body.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in ("GET", "HEAD") and super().should_redirect_with_slash(request)

"""ASGI entry point, in production settings unless told otherwise."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
application = get_asgi_application()

# These need the settings and the applications.
from config.requests import TolerantASGIRequest  # noqa: E402
from tokens.checks import refuse_to_start_if_wrong  # noqa: E402

application.request_class = TolerantASGIRequest
refuse_to_start_if_wrong()

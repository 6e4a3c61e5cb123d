"""WSGI entry point, in production settings unless told otherwise."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
application = get_wsgi_application()

# The checks need the settings and the applications.
from tokens.checks import refuse_to_start_if_wrong  # noqa: E402

refuse_to_start_if_wrong()

"""The WSGI application: a waiting room, then Django, by default in production settings.

Slow clients must not occupy the threads that do the work. So the server has many threads,
most of which wait, and Django handles a few requests at once:

- The body of a request is read completely first. A large one is kept in a temporary file;
  one that exceeds ``BODY_LIMIT`` is refused.
- Then the request waits for one of the ``TURNS``. If none is free within ``TURN_TIMEOUT``,
  the response is 503. ``/health/live/`` needs no turn, and neither does a refused body.
- The turn ends when the response is complete and closed, which frees the database
  connection. A stream gives up its turn when it starts, and continues without one.

Servers copy all environment variables of this process into every request. They are removed
here, and so is a Content-Type that Django could not decode.
"""

import os
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
django = get_wsgi_application()

# The checks need the settings and the applications.
from tokens.checks import refuse_to_start_if_wrong  # noqa: E402

refuse_to_start_if_wrong()
inherited = os.environ.keys() - {"SERVER_NAME", "SERVER_PORT"}
turns = BoundedSemaphore(settings.TURNS)


def application(environ: WSGIEnvironment, start: StartResponse) -> HttpResponseBase | list[bytes]:
    environ = {name: value for name, value in environ.items() if name not in inherited}
    environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(settings.FORCE_SCRIPT_NAME or "")
    turnless = (error := receive(environ)) or environ["PATH_INFO"] == "/health/live/"
    turn = not turnless and turns.acquire(timeout=settings.TURN_TIMEOUT)
    environ["api.error"] = error if turn or turnless else 503
    try:
        response = django(environ, start)
        if isinstance(response, HttpResponse):
            response.close()
            return [response.content]
        return response
    finally:
        if turn:
            turns.release()


def receive(environ: WSGIEnvironment) -> int:
    """Read the body, and return the status to refuse it with, or 0 to accept it."""
    if "*" in environ.get("CONTENT_TYPE", "") or len(environ.get("CONTENT_TYPE", "")) > 1000:
        del environ["CONTENT_TYPE"]  # RFC 2231 parameters, not all of which can be decoded
    length, limit = environ.get("CONTENT_LENGTH"), settings.BODY_LIMIT
    ends = length or environ.get("wsgi.input_terminated")  # otherwise its end is unknown
    # Beyond the limit, too: many clients read the response only after sending everything.
    left = min(int(length or 2 * limit), 2 * limit) if ends else 0
    body = SpooledTemporaryFile(1024 * 1024)  # noqa: SIM115 - it ends with the request
    while left and (chunk := environ["wsgi.input"].read(min(left, 65536))):
        left -= body.write(chunk)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = body, str(size := body.tell())
    body.seek(0)
    return 413 if size > limit else 400 if left and length else 0

"""WSGI entry: a waiting room before Django, in production settings unless told otherwise.

A thread that waits for a slow client must not be one that works. So the server has many
threads, most of which wait, and Django works on a few requests at once:

- A request's body is read to its end first. A large one is kept in a temporary file, one
  that exceeds ``BODY_LIMIT`` is refused.
- Then the request takes one of ``TURNS``. If none is free within ``TURN_TIMEOUT`` the
  answer is 503. ``/health/live/`` needs no turn, nor does the answer to a wrong body.
- A turn lasts until the response is closed, which gives back the database connection,
  and so the response is joined here. A stream leaves its turn and goes on without.

Django sees no variable of this process, though servers copy all of them into every
request, and no Content-Type that it could not decode.
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
    """Read the body, and return the status of what is wrong with it, or 0."""
    if "*" in environ.get("CONTENT_TYPE", "") or len(environ.get("CONTENT_TYPE", "")) > 1000:
        del environ["CONTENT_TYPE"]  # parameters by RFC 2231, which not all can be decoded
    length, limit = environ.get("CONTENT_LENGTH"), settings.BODY_LIMIT
    ends = length or environ.get("wsgi.input_terminated")  # else nobody says where it ends
    # Beyond the limit too, since many clients hear the answer only when they have sent all.
    left = min(int(length or 2 * limit), 2 * limit) if ends else 0
    body = SpooledTemporaryFile(1024 * 1024)  # noqa: SIM115 - it ends with the request
    while left and (chunk := environ["wsgi.input"].read(min(left, 65536))):
        left -= body.write(chunk)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = body, str(size := body.tell())
    body.seek(0)
    return 413 if size > limit else 400 if left and length else 0

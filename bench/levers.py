"""What makes the rendered project faster or slower, one function each.

``CHANGED`` undo a change that was made for speed, ``LEFT`` make one that was not made.
Each is pulled in a process of its own and measured against the project as it is, so
that the figures of ``docs/benchmarks.md`` can be measured anew. The key is a function
of this module; the value is the request that shows its effect, and a description.
"""

CHANGED = {
    "orm_lookup": (
        "get",
        "Session and user are read by SQL that was compiled once a process; before, "
        "the ORM compiled `select_related` at each request",
    ),
    "orm_update": (
        "refresh",
        "The UPDATE of a refresh is written down; before, the ORM compiled it",
    ),
    "translations": (
        "me",
        "`USE_I18N = False`: nothing is translated, yet every label was looked up",
    ),
    "idle_cors": (
        "get",
        "The CORS middleware is there only where `CORS_ALLOWED_ORIGINS` lists some",
    ),
    "unprepared_statements": (
        "get",
        "PostgreSQL prepares what a connection has run five times, instead of planning "
        "it at each request",
    ),
    "reopened_sqlite": (
        "get",
        "Each thread keeps its SQLite connection (measured on SQLite); before, the "
        "file was opened and set up for each request",
    ),
}
LEFT = {
    "explicit_serializer": (
        "me",
        "`UserSerializer` with its fields spelled out; a `ModelSerializer` derives "
        "them from the model at each request, and stays right when that changes",
    ),
    "plain_counter": (
        "login_without_hash",
        "The counter of failed logins in plain SQL instead of the ORM's",
    ),
    "redis_counter": (
        "login_without_hash",
        "The counter of failed logins in Redis, as with `REDIS_URL`",
    ),
    "no_middleware": (
        "get",
        "No middleware at all: no security headers, admin sessions, static files",
    ),
    "persistent_connections": (
        "get",
        "`CONN_MAX_AGE` instead of the pool; the pool bounds the connections, survives "
        "a restart of the database and waits for its return",
    ),
}
SQLITE = {"reopened_sqlite"}  # measured there, the others on PostgreSQL


def orm_lookup():
    from tokens.models import LoginSession

    def with_user(self, sid):
        return self.select_related("user").filter(pk=sid).first()

    type(LoginSession.objects).with_user = with_user


def orm_update():
    from django.db.models import F
    from tokens.models import LoginSession

    def advance(manager, sid, seq, now):
        current = manager.get_queryset().live().filter(pk=sid, seq=seq)
        return bool(current.update(seq=F("seq") + 1, rotated=now))

    type(LoginSession.objects).advance = advance


def translations():
    from django.conf import settings
    from django.utils.translation import _trans

    settings.USE_I18N = True
    vars(_trans).clear()


def explicit_serializer():
    from users import views

    from rest_framework import serializers  # isort: skip

    class UserSerializer(serializers.Serializer):
        id = serializers.IntegerField(read_only=True)
        username = serializers.CharField(read_only=True)
        email = serializers.EmailField(read_only=True)
        first_name = serializers.CharField(max_length=150)
        last_name = serializers.CharField(max_length=150)

    views.MeView.serializer_class = UserSerializer


def no_hash():
    """A password check that costs nothing, to see the rest of a login."""
    from django.contrib.auth import hashers

    def verify(password, encoded, preferred="default"):
        return password == "a Long enough passphrase, 7", False

    hashers.verify_password = verify


def plain_counter():
    from datetime import timedelta

    from django.db import connection
    from users import throttling

    table = throttling.Failure._meta.db_table
    adapt = connection.ops.adapt_datetimefield_value

    def enter(self, attempt):
        limits = attempt.limits
        rows = ", ".join(["(%s, %s, %s)"] * len(limits))
        recent = " OR ".join(["(key = %s AND time > %s)"] * len(limits))
        values = [(limit.key, attempt.id, adapt(attempt.time)) for limit in limits]
        since = [(limit.key, adapt(attempt.time - limit.window)) for limit in limits]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, attempt, time) VALUES {rows}",
                [value for row in values for value in row],
            )
            cursor.execute(
                f"SELECT key, COUNT(*), MIN(time) FROM {table} WHERE {recent} "
                "GROUP BY key",
                [value for pair in since for value in pair],
            )
            counts = {key: (count, oldest) for key, count, oldest in cursor.fetchall()}
        return [counts[limit.key] for limit in limits]

    def take_back(self, attempt, forget=""):
        old = adapt(attempt.time - timedelta(hours=1))
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE attempt = %s OR key = %s OR time < %s",
                [attempt.id, forget, old],
            )

    throttling.DatabaseStore.enter = enter
    throttling.DatabaseStore.take_back = take_back


def redis_counter():
    from django.conf import settings
    from redis import Redis

    settings.REDIS_URL = "redis://127.0.0.1:6379/9"
    Redis.from_url(settings.REDIS_URL).ping()


def no_middleware():
    from django.conf import settings

    settings.MIDDLEWARE = []


def unprepared_statements():
    from django.db import connection

    for option in ("server_side_binding", "prepare_threshold"):
        del connection.settings_dict["OPTIONS"][option]


def persistent_connections():
    from django.db import connection

    connection.settings_dict["OPTIONS"].pop("pool", None)
    connection.settings_dict["CONN_MAX_AGE"] = 600


def idle_cors():
    from django.conf import settings

    settings.MIDDLEWARE.insert(2, "corsheaders.middleware.CorsMiddleware")


def reopened_sqlite():
    from django.db import connection

    connection.settings_dict["CONN_MAX_AGE"] = 0

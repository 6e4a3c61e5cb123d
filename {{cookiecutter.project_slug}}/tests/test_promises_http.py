"""Promises about input, the HTTP surface, and who may do what.

Each docstring begins with the number of the promise.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.conftest import Login, authorization, credentials
from tests.factories import PASSWORD, UserFactory
from tests.forge import SIMPLE_JWT, answers
from tests.production import python
from users.models import User

JSON = "application/json"
ME = "/api/users/me/"
LOGIN = "/api/token/"
TAKES_A_BODY = {
    LOGIN: (User.USERNAME_FIELD, "password"),
    "/api/token/refresh/": ("refresh",),
    "/api/token/verify/": ("token",),
    "/api/token/blacklist/": ("refresh",),
    "/api/users/me/password/": ("current_password", "new_password"),
}


@pytest.fixture
def send(login: Login) -> Any:
    """Posts bytes with a good access token: ``send(path, body)``."""
    header = authorization(login()["access"])

    def send(path: str, body: bytes, content_type: str = JSON, **extra: Any) -> Any:
        return APIClient(raise_request_exception=False).post(
            path, body, content_type=content_type, headers=header, **extra
        )

    return send


def assert_json(response: Any, *statuses: int) -> None:
    assert response.status_code in statuses, response.content[:200]
    assert response["Content-Type"] == JSON
    assert isinstance(response.json(), dict)


# Input


@pytest.mark.parametrize("text", ["[", '{"a":', '{"a": [', "[[{}, "])
def test_deeply_nested_json_is_refused(send: Any, text: str) -> None:
    """33. 100 000 levels."""
    for path in TAKES_A_BODY:
        assert_json(send(path, text.encode() * 100_000), 400)
        closed = b"[" * 100_000 + b"]" * 100_000
        body = b'{"password": %b, "refresh": %b, "token": %b}'
        assert_json(send(path, body % (closed, closed, closed)), 400)


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 1.5, [], ["x"], {}, {"$ne": ""}, 10**400],
    ids=lambda value: repr(value)[:12],
)
def test_a_value_of_the_wrong_type_is_refused(send: Any, value: object) -> None:
    """34. Each field in turn, and all of them."""
    for path in TAKES_A_BODY:
        names = TAKES_A_BODY[path]
        for odd in (*([name] for name in names), names):
            body = {name: value if name in odd else "text" for name in names}
            assert_json(send(path, json.dumps(body).encode()), 400)


@pytest.mark.parametrize(
    "text", ["\0", "a\0b", "\ud800", "\udfff\ud800", "\x1b[31m", "\u202e", "x" * 10**5]
)
def test_odd_text_is_refused(send: Any, text: str) -> None:
    """34. 4xx, also where a database would not hold it; logout ignores rubbish."""
    for path in TAKES_A_BODY:
        for odd in TAKES_A_BODY[path]:
            body = {name: text if name == odd else "a" for name in TAKES_A_BODY[path]}
            response = send(path, json.dumps(body).encode())
            if "blacklist" in path:
                assert response.status_code == 200
            else:
                assert_json(response, 400, 401)


BROKEN = {
    "empty": b"",
    "blank": b" \n",
    "cut": b'{"refresh": "a',
    "no quotes": b"{refresh: a}",
    "single quotes": b"{'refresh': 'a'}",
    "trailing": b'{"refresh": "a"} x',
    "two": b"{}{}",
    "NaN": b'{"refresh": NaN}',
    "infinite": b'{"refresh": -Infinity}',
    "a huge number": b'{"refresh": ' + b"9" * 10_000 + b"}",
    "a huge exponent": b'{"refresh": 1e999999}',
    "not UTF-8": b'{"refresh": "\xff\xfe"}',
    "UTF-16": '{"refresh": "a"}'.encode("utf-16"),
    "UTF-8 surrogates": b'{"refresh": "\xed\xa0\x80"}',
    "a list": b'["refresh"]',
    "a string": b'"refresh"',
    "a number": b"1",
    "null": b"null",
    "true": b"true",
    "XML": b"<refresh>a</refresh>",
    "a form": b"refresh=a",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_body_that_is_no_json_object_is_refused(send: Any, body: bytes) -> None:
    """34. With a JSON answer."""
    for path in TAKES_A_BODY:
        assert_json(send(path, body), 400)


def test_a_large_body_is_refused(send: Any) -> None:
    """34. 2 MiB, and many small fields likewise."""
    for path in TAKES_A_BODY:
        assert_json(send(path, b'{"refresh": "%b"}' % (b"x" * 2**21)), 413)
        fields = json.dumps({f"field{number}": number for number in range(200_000)})
        assert_json(send(path, fields.encode()), 413)


@pytest.mark.parametrize(
    "kind",
    [
        *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"),
        *("multipart/form-data; boundary=x", "application/xml"),
        *("json", "/", "application/json-patch+json", "é/é", "application/jsonx"),
        "application/octet-stream",
    ],
)
def test_another_content_type_is_refused(send: Any, kind: str) -> None:
    """34. JSON in, and nothing else."""
    for path in TAKES_A_BODY:
        body = json.dumps(dict.fromkeys(TAKES_A_BODY[path], "a")).encode()
        assert_json(send(path, body, kind), 415, 400)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json;;;=",
        "application/json; boundary=" + "x" * 5_000,
        "Application/JSON",
    ],
)
def test_odd_parameters_of_the_content_type_are_harmless(send: Any, kind: str) -> None:
    """34. 4xx at most."""
    assert_json(send("/api/token/verify/", b'{"token": "a"}', kind), 400, 401, 415)


@pytest.mark.parametrize("charset", ["utf-16", "rot13", "punycode", "undefined"])
def test_json_is_utf_8_whatever_a_charset_says(send: Any, charset: str) -> None:
    """34. Some decoders take minutes for what this one reads at once."""
    kind = f"application/json; charset={charset}"
    assert_json(send("/api/token/verify/", b'{"token": "a"}', kind), 401)


def words() -> list[str]:
    """Schemes that are not ours."""
    configured = {word.lower() for word in SIMPLE_JWT["AUTH_HEADER_TYPES"]}
    known = (
        "Bearer",
        "JWT",
        "Token",
        "Basic",
        "Digest",
        "DPoP",
        "Negotiate",
        "Bearer,",
    )
    return [word for word in known if word.lower() not in configured]


def test_only_the_configured_scheme_authenticates(client: APIClient, login: Login) -> None:
    """35. 401 with ``WWW-Authenticate``, which names it."""
    access = login()["access"]
    own = str(SIMPLE_JWT["AUTH_HEADER_TYPES"][0])
    values = [f"{word} {access}" for word in words()]
    values += [
        access,
        f"{own}{access}",
        f"{own}:{access}",
        f"{own} {access} x",
        own,
        "",
    ]
    values += [f"{own} {own} {access}", f"{own}, {access}", f'{own} "{access}"', " "]
    values += [f"{own} token={access}", f"{own}\0{access}", f"é {access}", f"{own} é"]
    for value in values:
        response = client.get(ME, HTTP_AUTHORIZATION=value)
        assert_json(response, 401)
        assert response["WWW-Authenticate"].split()[0] == own


def test_the_scheme_is_matched_without_regard_to_case(client: APIClient, login: Login) -> None:
    """35. RFC 9110 section 11.1; each configured one opens."""
    access = login()["access"]
    for word in SIMPLE_JWT["AUTH_HEADER_TYPES"]:
        for spelling in (word, word.lower(), word.upper()):
            header = authorization(access, spelling)
            assert client.get(ME, headers=header).status_code == 200


@pytest.mark.parametrize("name", ["access", "access_token", "token", "jwt", "authorization"])
def test_a_token_elsewhere_than_in_the_header_authenticates_nobody(
    client: APIClient, login: Login, name: str
) -> None:
    """35. Not in the query, a cookie, a body or another header (RFC 6750 2.3)."""
    access = login()["access"]
    for value in (access, authorization(access)["Authorization"]):
        assert client.get(ME, {name: value}).status_code == 401
        patch = client.patch(ME, {name: value, "first_name": "x"}, format="json")
        assert patch.status_code == 401
        header = f"X-{name}"
        assert client.get(ME, headers={header: value}).status_code == 401
        client.cookies[name] = value
        assert client.get(ME).status_code == 401
        client.cookies.clear()


def test_a_login_to_the_admin_opens_no_api(user: User) -> None:
    """35. Its cookie is for its pages."""
    browser = Client()
    browser.force_login(user)
    assert browser.get(ME).status_code == 401


# HTTP surface


def test_tokens_are_kept_out_of_caches(client: APIClient, login: Login) -> None:
    """36. Every answer of the token endpoints (RFC 6749 section 5.1)."""
    pair = login()
    for path, names in TAKES_A_BODY.items():
        if path.startswith(LOGIN):
            for value in ("wrong", pair["refresh"], 1):
                body = dict.fromkeys(names, value)
                response = client.post(path, body, format="json")
                assert "no-store" in response.get("Cache-Control", "").split(", ")
            assert "no-store" in client.get(path).get("Cache-Control", "").split(", ")


@pytest.mark.parametrize(
    "path", [LOGIN, ME, "/nowhere/", "/admin/login/", "/api/docs/", "/health/live/"]
)
@pytest.mark.django_db
def test_every_answer_has_the_protective_headers(path: str) -> None:
    """37. Pages have a Content-Security-Policy besides."""
    response = Client().get(path, secure=True)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert response["X-Frame-Options"] == "DENY"
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    script = [part for part in policy.split(";") if "script-src" in part]
    assert not any("unsafe-inline" in part for part in script)
    assert not {"Server", "X-Powered-By"} & {*response.headers}


IN_PRODUCTION = """
import json, config.wsgi
from django.test import Client
client = Client(raise_request_exception=False)
answers = {}
for path, secure in (("/nowhere/", True), ("/health/live/", True), ("/api/token/", False),
                     ("/api/docs/", True), ("/api/schema/", True)):
    response = client.get(
        path, secure=secure, headers={"Host": "api.example.com", "Accept": "text/html"}
    )
    answers[path] = [response.status_code, dict(response.headers), response.text]
print(json.dumps(answers))
"""


def test_production_insists_on_https_and_hides_its_documentation() -> None:
    """37. HSTS for a year with subdomains, plain HTTP is redirected."""
    answered = python("-W", "ignore", "-c", IN_PRODUCTION)
    assert answered.returncode == 0, answered.stderr
    answer = json.loads(answered.stdout.splitlines()[-1])
    for path in ("/nowhere/", "/health/live/", "/api/docs/"):
        policy = answer[path][1]["Strict-Transport-Security"].replace(" ", "").split(";")
        assert int(policy[0].removeprefix("max-age=")) >= 31_536_000
        assert "includeSubDomains" in policy
    status, headers, _ = answer["/api/token/"]
    assert (status, headers["Location"][:8]) == (301, "https://")
    for path in ("/api/docs/", "/api/schema/"):
        assert answer[path][0] in (401, 403)
        assert answer[path][1]["Content-Type"] == JSON


def test_errors_are_json_without_internals(
    send: Any, client: APIClient, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """38. Whatever the client says it accepts."""
    html: dict[str, Any] = {"HTTP_ACCEPT": "text/html"}
    header = authorization(login()["access"])
    client.raise_request_exception = False
    assert_json(send(LOGIN, b"{", **html), 400)
    assert_json(send(LOGIN, b"{}", **html), 400)
    assert_json(client.get(ME, **html), 401)
    assert_json(client.get("/api/nowhere/", **html), 404)
    assert_json(client.get("/nowhere/", **html), 404)
    assert_json(client.get(LOGIN, **html), 405)
    assert_json(client.delete(ME, headers=header, **html), 405)
    assert_json(send(LOGIN, b" " * 2**21, **html), 413)
    assert_json(send(LOGIN, b"a=b", "application/x-www-form-urlencoded", **html), 415)
    assert_json(client.get(ME, HTTP_HOST="evil.example", **html), 400)
    monkeypatch.setattr("rest_framework.views.APIView.initial", broken)
    response = client.get(ME, headers=header, **html)
    assert_json(response, 500)
    assert "secret" not in response.text


def broken(*arguments: object, **options: object) -> None:
    raise RuntimeError("a secret of the server")


@pytest.mark.parametrize("query", ["", "?format=api", "?format=html", "?format=xml"])
def test_there_is_no_browsable_api(client: APIClient, login: Login, query: str) -> None:
    """38. No page offers to try things out."""
    header = authorization(login()["access"])
    response = client.get(ME + query, headers=header, HTTP_ACCEPT="text/html")
    assert_json(response, 200, 404)


def test_a_forged_form_is_refused_in_json(user: User) -> None:
    """38. The 403 of the CSRF protection."""
    browser = Client(enforce_csrf_checks=True)
    assert_json(browser.post("/admin/login/", credentials(user)), 403)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "testserver.evil.example", "testserver@evil.example", "*"),
        *("testserver:80:80", "testserver\0", "", "[::1", "te st", "testserver/../x"),
    ],
)
@pytest.mark.django_db
def test_the_host_is_checked_and_not_reflected(host: str) -> None:
    """39. 400, and nothing of it in the answer."""
    client = Client(raise_request_exception=False)
    for path in (LOGIN, ME, "/admin/login/", "/nowhere/", "/api/token"):
        response = client.get(path, HTTP_HOST=host)
        if host:
            assert_json(response, 400, 404, 401, 405)
            assert "evil" not in f"{response.text} {response.headers}"
        forwarded = client.get(path, HTTP_X_FORWARDED_HOST="evil.example")
        assert "evil" not in f"{forwarded.text} {forwarded.headers}"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver"])
def test_other_origins_are_not_let_in(client: APIClient, login: Login, origin: str) -> None:
    """39. CORS is closed unless ``CORS_ALLOWED_ORIGINS`` opens it."""
    header = {**authorization(login()["access"]), "Origin": origin}
    for response in (
        client.get(ME, headers=header),
        client.options(ME, headers={**header, "Access-Control-Request-Method": "PATCH"}),
    ):
        assert not [name for name in response.headers if name.startswith("Access-")]


def test_methods_are_what_they_say(client: APIClient, login: Login, user: User) -> None:
    """39. No TRACE, and no other method by way of a header, the query or the body."""
    pair = login()
    header = authorization(pair["access"])
    for path in (LOGIN, ME, "/api/sessions/"):
        for method in ("TRACE", "CONNECT", "FOO", "PROPFIND"):
            response = client.generic(method, path, headers=header)
            assert response.status_code in (405, 501)
            assert pair["access"] not in response.text
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        for method in ("DELETE", "PATCH"):
            override = {**header, name: method}
            body = {"_method": method, "first_name": "changed"}
            for path in ("/api/sessions/?_method=DELETE", f"{ME}?_method=PATCH"):
                client.post(path, body, format="json", headers=override)
                client.get(path, headers=override)
    user.refresh_from_db()
    assert user.first_name != "changed"
    assert answers(pair["access"])["access"] == 200


@pytest.mark.parametrize("debug", [False, True])
def test_a_slash_is_added_to_reads_alone(
    client: APIClient, settings: Settings, debug: bool
) -> None:
    """38. What is sent to an address without it is not redirected, but 404."""
    settings.DEBUG = debug
    assert client.get(LOGIN.rstrip("/")).status_code == 301
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(LOGIN.rstrip("/")).status_code == 404


def test_the_deployment_checks_are_silent() -> None:
    """40. ``manage.py check --deploy --fail-level WARNING`` in production settings."""
    checked = python(
        "manage.py",
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        "--database",
        "default",
    )
    assert checked.returncode == 0, checked.stderr
    assert not checked.stderr


# Authorisation

OPEN = {
    *("/", "/api/token/", "/api/token/refresh/", "/api/token/verify/"),
    *("/api/token/blacklist/", "/.well-known/jwks.json"),
    *("/", "/health/live/", "/health/ready/"),
    *("/api/schema/", "/api/docs/"),  # for staff only in production, see above
}


def paths(patterns: list[Any], start: str = "/") -> Iterator[str]:
    """The paths of a URL configuration, with something for each parameter."""
    for pattern in patterns:
        route = start + str(pattern.pattern).strip("^$").replace(
            "<uuid:pk>", "0190163d-8694-739b-aea5-966c26f8ad91"
        )
        if isinstance(pattern, URLResolver):
            if not str(pattern.pattern).startswith("admin/"):
                yield from paths(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and not route.startswith("/admin/"):
            yield route


@pytest.mark.django_db
def test_every_endpoint_is_closed_unless_opened_on_purpose(client: APIClient) -> None:
    """41. A new one is closed until it is added to the list above."""
    found = {*paths(get_resolver().url_patterns)}
    assert found >= OPEN
    for path in found - OPEN:
        for method in ("get", "post", "put", "patch", "delete", "options", "head"):
            response = getattr(client, method)(path)
            assert response.status_code == 401, (method, path)


def test_another_users_session_is_not_there(client: APIClient, login: Login, user: User) -> None:
    """42. Read, changed or deleted: as if it did not exist, for staff likewise."""
    other = UserFactory.create(is_staff=True, is_superuser=True)
    other.user_permissions.set(Permission.objects.all()[:5])
    own = login()
    mine = client.get("/api/sessions/", headers=authorization(own["access"])).json()
    stranger = authorization(login(other)["access"])
    path = f"/api/sessions/{mine[0]['id']}/"
    unknown = "/api/sessions/0190163d-8694-739b-aea5-966c26f8ad91/"
    for method in ("get", "put", "patch", "delete", "post"):
        response = getattr(client, method)(path, headers=stranger)
        same = getattr(client, method)(unknown, headers=stranger)
        assert response.status_code == same.status_code
        assert response.status_code in (404, 405)
        assert response.content == same.content
    assert client.delete(path, headers=stranger).status_code == 404
    listed = client.get("/api/sessions/", headers=stranger).json()
    assert mine[0]["id"] not in [session["id"] for session in listed]
    assert answers(own["access"])["access"] == 200


def test_only_the_names_of_an_account_are_writable(
    client: APIClient, login: Login, user: User
) -> None:
    """43. Ids, owner, flags, password and the claims' fields are not."""
    header = authorization(login()["access"])
    body = {field.name: field_value(field) for field in User._meta.get_fields()}
    body |= {"first_name": "New", "last_name": "Names", "pk": 999, "user_id": 999}
    before = User.objects.filter(pk=user.pk).values().get()
    response = client.patch(ME, body, format="json", headers=header)
    assert response.status_code == 200
    after = User.objects.filter(pk=user.pk).values().get()
    assert after == {**before, "first_name": "New", "last_name": "Names"}
    user.refresh_from_db()
    assert not user.groups.exists()
    assert not user.user_permissions.exists()
    assert user.check_password(PASSWORD)


def field_value(field: Any) -> object:
    """Something that the field would take, and that it is not."""
    kind = field.get_internal_type() if hasattr(field, "get_internal_type") else ""
    return {
        "BooleanField": True,
        "BigIntegerField": 4711,
        "BigAutoField": 4711,
        "DateTimeField": "2001-02-03T04:05:06Z",
        "DateField": "2001-02-03",
        "UUIDField": "0190163d-8694-739b-aea5-966c26f8ad91",
        "ManyToManyField": [1],
    }.get(kind, "other@example.com")


def test_sessions_cannot_be_made_or_changed_over_the_api(client: APIClient, login: Login) -> None:
    """43. They come from logins only."""
    header = authorization(login()["access"])
    before = client.get("/api/sessions/", headers=header).json()
    body = {"id": "0190163d-8694-739b-aea5-966c26f8ad91", "address": "192.0.2.9"}
    for path in ("/api/sessions/", f"/api/sessions/{before[0]['id']}/"):
        for method in ("post", "put", "patch"):
            response = getattr(client, method)(path, body, format="json", headers=header)
            assert response.status_code == 405
    assert client.get("/api/sessions/", headers=header).json() == before

"""Promises 33 to 35: malformed bodies, and how requests are authenticated."""

import json
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from tests.conftest import authorization, credentials, each, logout
from tests.forge import SIMPLE_JWT
from users.models import User

ME = "/api/users/me/"
# The endpoints that take a body, and its fields, which are all text.
FIELDS = {
    "/api/token/": (User.USERNAME_FIELD, "password"),
    "/api/token/refresh/": ("refresh",),
    "/api/token/verify/": ("token",),
    "/api/token/blacklist/": ("refresh",),
    # jinja: if cookiecutter.accounts == "open"
    "/api/users/": ("email",),
    "/api/users/confirm/": ("token", "password"),
    "/api/users/password/reset/": ("email",),
    "/api/users/password/reset/confirm/": ("token", "password"),
    "/api/users/me/email/": ("email", "current_password"),
    "/api/users/email/confirm/": ("token",),
    # jinja: endif
    "/api/users/me/password/": ("current_password", "new_password"),
}


def send(client: APIClient, path: str, body: bytes, kind: str = "application/json") -> Any:
    return client.post(path, body, content_type=kind)


def assert_refused(response: Any, *statuses: int) -> None:
    """Assert that the response is one of these errors, in JSON."""
    assert response.status_code in statuses, response.content[:200]
    assert response["Content-Type"] == "application/json"
    assert isinstance(response.json(), dict)


@each("text", "[", '{"a":', '{"a": [', "[[{}, ")
def test_33_deeply_nested_json_is_refused(user_client: APIClient, text: str) -> None:
    """There are 100 000 levels, closed or not."""
    deep = b"[" * 100_000 + b"]" * 100_000
    for path, (name, *_) in FIELDS.items():
        for body in (text.encode() * 100_000, b'{"%b": %b}' % (name.encode(), deep)):
            assert_refused(send(user_client, path, body), 400)


@each("value", None, True, 0, 1.5, [], ["x"], {}, {"$ne": ""}, 10**400)
def test_34_a_field_that_is_no_text_is_named(user_client: APIClient, value: object) -> None:
    """Each field is tried alone, and then all of them."""
    for path, names in FIELDS.items():
        for odd in (*({name} for name in names), {*names}):
            rest = {name: "text" for name in names if name not in odd}
            for body in (rest, rest | dict.fromkeys(odd, value)):
                response = user_client.post(path, body)
                assert_refused(response, 400)
                assert response.json().keys() >= odd


@each("text", "\0", "a\0b", "\ud800", "\udfff\ud800", "\x1b[31m", "\u202e", "x" * 10**5)
def test_34_odd_text_is_refused(user_client: APIClient, text: str) -> None:
    """The response is 4xx, also for text that no database can store; logout ignores garbage."""
    for path, names in FIELDS.items():
        for odd in names:
            response = user_client.post(path, dict.fromkeys(names, "a") | {odd: text})
            if "blacklist" in path:
                assert response.status_code == 200
            else:
                assert_refused(response, 400, 401)


BROKEN = [
    *(b"", b" \n", b"{}{}", b'["refresh"]', b'"refresh"', b"1", b"null", b"true"),
    *(b'{"refresh": "a', b"{refresh: a}", b"{'refresh': 'a'}", b'{"refresh": "a"} x'),
    *(b'{"refresh": NaN}', b'{"refresh": -Infinity}', b'{"refresh": 1e999999}'),
    *(b'{"refresh": ' + b"9" * 10_000 + b"}", b"<refresh>a</refresh>", b"refresh=a"),
    *(b'{"refresh": "\xff\xfe"}', b'{"refresh": "\xed\xa0\x80"}'),
    '{"refresh": "a"}'.encode("utf-16"),
]


@each("body", *BROKEN)
def test_34_a_body_that_is_no_json_object_is_refused(user_client: APIClient, body: bytes) -> None:
    """The response is JSON."""
    for path in FIELDS:
        assert_refused(send(user_client, path, body), 400)


def test_34_a_large_body_is_refused(user_client: APIClient) -> None:
    """It has 2 MiB, in one field or in many small ones."""
    many = json.dumps({f"field{number}": number for number in range(200_000)}).encode()
    for path, (name, *_) in FIELDS.items():
        for body in (many, b'{"%b": "%b"}' % (name.encode(), b"x" * 2**21)):
            assert_refused(send(user_client, path, body), 413)


@each(
    "kind",
    *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"),
    *("multipart/form-data; boundary=x", "application/xml", "application/octet-stream"),
    *("json", "/", "application/json-patch+json", "é/é", "application/jsonx"),
    "application/json; boundary=" + "x" * 5_000,
)
def test_34_another_content_type_is_refused(user_client: APIClient, kind: str) -> None:
    """Only JSON is accepted, so a form is no way to guess passwords either (28)."""
    for path, names in FIELDS.items():
        body = json.dumps(dict.fromkeys(names, "a")).encode()
        assert_refused(send(user_client, path, body, kind), 415)


@each(
    "parameters",
    *("", ";;;=", "; boundary=x", "; charset=utf-16", "; charset=rot13"),
    *("; charset=punycode", "; charset=undefined"),
)
def test_34_json_is_utf_8_whatever_is_claimed(
    client: APIClient, token: str, parameters: str
) -> None:
    """Some other decoders take minutes for what UTF-8 reads at once."""
    kind = f"Application/JSON{parameters}"
    body = json.dumps({"token": token, "ü": "ü"}, ensure_ascii=False).encode()
    assert send(client, "/api/token/verify/", body, kind).status_code == 200


def test_35_only_the_configured_scheme_authenticates(client: APIClient, token: str) -> None:
    """Other schemes get 401 with ``WWW-Authenticate``. Each type is accepted, in any case.

    RFC 9110 section 11.1.
    """
    own, *_ = types = SIMPLE_JWT["AUTH_HEADER_TYPES"]
    accepted = [spell(word) for word in types for spell in (str, str.lower, str.upper)]
    for word in accepted:
        assert client.get(ME, headers=authorization(token, word)).status_code == 200
    known = ("Bearer", "JWT", "Token", "Basic", "Digest", "DPoP", "Negotiate", "Bearer,")
    for value in (
        *(f"{word} {token}" for word in known if word.lower() not in map(str.lower, types)),
        *(token, f"{own}{token}", f"{own}:{token}", f"{own} {token} x", own, "", " "),
        *(f"{own} {own} {token}", f"{own}, {token}", f'{own} "{token}"', f"{own} token={token}"),
        *(f"{own}\0{token}", f"é {token}", f"{own} é"),
    ):
        response = client.get(ME, HTTP_AUTHORIZATION=value)
        assert_refused(response, 401)
        assert response["WWW-Authenticate"].split()[0] == own


@each("name", "access", "access_token", "token", "jwt", "authorization")
def test_35_a_token_elsewhere_opens_nothing(client: APIClient, token: str, name: str) -> None:
    """It may not be in the query, a cookie, the body or another header (RFC 6750 section 2.3)."""
    for value in (token, authorization(token)["Authorization"]):
        client.cookies[name] = value
        read = client.get(ME, {name: value}, headers={f"X-{name}": value})
        written = client.patch(ME, {name: value, "first_name": "x"})
        assert read.status_code == written.status_code == 401


def test_35_a_login_to_the_admin_opens_no_api(user: User) -> None:
    """Its cookie is for its own pages only."""
    browser = Client()
    browser.force_login(user)
    assert browser.get(ME).status_code == 401


def test_35_a_bad_token_does_not_stand_in_the_way(client: APIClient, user: User) -> None:
    """Users can still log in and log out."""
    headers = authorization("rubbish")
    login = client.post("/api/token/", credentials(user), headers=headers)
    assert login.status_code == 200
    assert logout("rubbish").status_code == 200

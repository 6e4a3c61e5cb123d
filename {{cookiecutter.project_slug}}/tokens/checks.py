"""System checks, which find at the start what would fail at the first login."""

import re
from collections.abc import Iterator
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

# jinja: print "from corsheaders.conf import conf as cors\n" if cookiecutter.refresh_token_in == "cookie"
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.checks import CheckMessage, Error, register, run_checks
from django.utils.module_loading import import_string
from rest_framework_simplejwt.serializers import TokenObtainSerializer
from rest_framework_simplejwt.settings import DEFAULTS, api_settings

from tokens.algorithms import ALGORITHMS, UnfitKey
from tokens.keys import KeyRing

WORD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # an HTTP token (RFC 9110 section 5.6.2)

# What this project decides elsewhere, although SimpleJWT has settings for it.
DECIDED = {
    "JWT_SIGNING_KEY and JWT_VERIFYING_KEYS": "(SIGN|VERIFY)ING_KEY|JWK_URL",
    "CLOCK_SKEW in tokens/keys.py": "LEEWAY",
    "tokens/tokens.py": "(TOKEN_TYPE|JTI|USER_ID)_CLAIM|USER_ID_FIELD|TOKEN_USER_CLASS|SLIDING_.+",
    "tokens/sessions.py": "ROTATE_REFRESH_TOKENS|BLACKLIST_AFTER_ROTATION|UPDATE_LAST_LOGIN|"
    "CHECK_REVOKE_TOKEN|REVOKE_TOKEN_CLAIM|CHECK_USER_IS_ACTIVE",
}
CLASSES = re.compile("AUTH_TOKEN_CLASSES|TOKEN_.+_SERIALIZER")


@register("tokens")
def check_tokens(**kwargs: Any) -> list[CheckMessage]:
    """Find settings and keys that would have no effect, or fail at the first login."""
    wrong = [*_wrong_names(), *_wrong_values(), *_wrong_keys()]
    return [Error(text, hint=hint, id=f"tokens.E{number:03}") for number, text, hint in wrong]


def _wrong_names() -> Iterator[tuple[int, str, str]]:
    for name in settings.SIMPLE_JWT.keys() - DEFAULTS.keys():
        near = get_close_matches(name, DEFAULTS, 1)
        hint = f"Did you mean {near[0]}?" if near else "Remove it."
        yield 1, f"SIMPLE_JWT: {name} is not a setting.", hint
    ours = [("USER_ID_FIELD", "pk"), ("USER_ID_CLAIM", "sub")]
    changed = [name for name, value in settings.SIMPLE_JWT.items() if (name, value) not in ours]
    for place, names in DECIDED.items():
        for name in filter(re.compile(names).fullmatch, changed):
            hint = f"Remove it: this is decided in {place}."
            yield 9, f"SIMPLE_JWT: {name} has no effect in this project.", hint


def _wrong_values() -> Iterator[tuple[int, str, str]]:
    for name in filter(CLASSES.fullmatch, DEFAULTS):
        paths = (DEFAULTS | settings.SIMPLE_JWT)[name]
        for kind in map(import_string, [paths] if isinstance(paths, str) else paths):
            if all(base.__module__.split(".")[0] != "tokens" for base in kind.__mro__):
                yield 9, f"SIMPLE_JWT: {name} knows no sessions.", "Subclass ours in tokens/."
    login = import_string(api_settings.TOKEN_OBTAIN_SERIALIZER)
    if login.get_token.__func__ is not TokenObtainSerializer.get_token.__func__:
        yield 10, f"{login.__name__}.get_token is never called.", "Use tokens/claims.py instead."
    access, refresh = api_settings.ACCESS_TOKEN_LIFETIME, api_settings.REFRESH_TOKEN_LIFETIME
    session: Any = getattr(settings, "SESSION_LIFETIME", None)
    grace: Any = getattr(settings, "REFRESH_GRACE_PERIOD", None)
    given = all(isinstance(each, timedelta) for each in (access, refresh, session, grace))
    if not (given and timedelta(0) < access < refresh <= session and grace >= timedelta(0)):
        lifetimes = f"access {access}, refresh {refresh}, session {session}, grace {grace}"
        hint = "As timedeltas: ACCESS_TOKEN_LIFETIME < REFRESH_TOKEN_LIFETIME <= SESSION_LIFETIME."
        yield 2, f"The lifetimes do not fit together: {lifetimes}.", hint
    for name in ("ISSUER", "AUDIENCE"):
        if not isinstance(value := getattr(api_settings, name), str) or not value:
            hint = f"Set JWT_{name}, or write a string in config/jwt.py."
            yield 3, f"SIMPLE_JWT: {name} {value!r} is not a name.", hint
    types = api_settings.AUTH_HEADER_TYPES
    if isinstance(types, str) or not types or not all(map(WORD.fullmatch, map(str, types))):
        hint = 'Write ("Bearer",), with the comma.'
        yield 4, f"SIMPLE_JWT: AUTH_HEADER_TYPES {types!r} is not a tuple of words.", hint


def _wrong_keys() -> Iterator[tuple[int, str, str]]:
    algorithm = api_settings.ALGORITHM
    if algorithm not in ALGORITHMS:
        hint = f"Use one of {', '.join(ALGORITHMS)}."
        yield 5, f"SIMPLE_JWT: ALGORITHM {algorithm!r} is not supported.", hint
        return
    hint = f"Generate a key for {algorithm} with `manage.py generate_signing_key`."
    try:
        ring = KeyRing(algorithm, settings.JWT_SIGNING_KEY, settings.JWT_VERIFYING_KEYS)
    except UnfitKey as error:
        yield 6, str(error), hint
        return
    sign, verify = ring.implementation.sign, ring.implementation.verify
    for key in ring.keys:
        if key.signing and not verify(b"", key.verifying, sign(b"", key.signing)):
            yield 7, f"The key {key.kid} does not verify what it has signed.", hint
    texts: str = settings.JWT_SIGNING_KEY + settings.JWT_VERIFYING_KEYS
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if any(str(secret) in texts for secret in secrets):
        yield 8, "JWT_SIGNING_KEY or JWT_VERIFYING_KEYS contains DJANGO_SECRET_KEY.", hint


@register("tokens", deploy=True)
def check_static_files(**kwargs: Any) -> list[CheckMessage]:
    """Check that the admin's files were collected, since it returns 500 without them."""
    if getattr(staticfiles_storage, "hashed_files", True):
        return []
    message, hint = "There are no static files.", "Run `manage.py collectstatic`."
    return [Error(message, hint=hint, id="tokens.E012")]


# jinja: if cookiecutter.refresh_token_in == "cookie"
@register("tokens")
def check_origins(**kwargs: Any) -> list[CheckMessage]:
    """Check that CORS allows pages of known origins only, as these may use the refresh cookie."""
    listed, patterns = cors.CORS_ALLOWED_ORIGINS, cors.CORS_ALLOWED_ORIGIN_REGEXES
    found = [f"CORS_ALLOWED_ORIGINS: {text}" for text in listed if not text.startswith("http")]
    found += [f"CORS_ALLOWED_ORIGIN_REGEXES: {text}" for text in patterns if re.match(text, "null")]
    found += ["CORS_ALLOW_ALL_ORIGINS"] if cors.CORS_ALLOW_ALL_ORIGINS else []
    hint = "List the http and https origins whose pages may use the refresh cookie."
    return [Error(f"{text} allows too much.", hint=hint, id="tokens.E011") for text in found]


# jinja: endif
def refuse_to_start_if_wrong() -> None:
    """Run the checks, since servers do not run Django's system checks.

    Raises ``SystemExit`` with one line for each error.
    """
    if errors := sorted(run_checks(tags=["tokens"], include_deployment_checks=True), key=str):
        raise SystemExit("\n".join(f"{error.msg} {error.hint}" for error in errors))

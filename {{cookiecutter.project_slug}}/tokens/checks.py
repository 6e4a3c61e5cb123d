"""System checks: what would fail at the first login fails at the start."""

import re
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

# jinja: if cookiecutter.refresh_token_in == "cookie"
# jinja: print "from corsheaders.conf import conf as cors\n"
# jinja: endif
from django.conf import settings
from django.core.checks import CheckMessage, Error, register, run_checks
from django.utils.module_loading import import_string
from rest_framework_simplejwt.serializers import TokenObtainSerializer
from rest_framework_simplejwt.settings import DEFAULTS, api_settings

from tokens.algorithms import ALGORITHMS, UnfitKey
from tokens.keys import KeyRing

WORD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of HTTP (RFC 9110 section 5.6.2)


# What this project decides itself, where SimpleJWT has settings.
DECIDED = {
    "JWT_SIGNING_KEY and JWT_VERIFYING_KEYS": "SIGNING_KEY VERIFYING_KEY JWK_URL",
    "CLOCK_SKEW in tokens/keys.py": "LEEWAY",
    "tokens/tokens.py": "TOKEN_TYPE_CLAIM JTI_CLAIM",
    "tokens/sessions.py": "ROTATE_REFRESH_TOKENS BLACKLIST_AFTER_ROTATION CHECK_REVOKE_TOKEN "
    "REVOKE_TOKEN_CLAIM CHECK_USER_IS_ACTIVE",
    "tokens/serializers.py": "UPDATE_LAST_LOGIN",
    "tokens/authentication.py": "TOKEN_USER_CLASS",
    "nothing here": " ".join(name for name in DEFAULTS if name.startswith("SLIDING_")),
}
FIXED = {"USER_ID_FIELD": "pk", "USER_ID_CLAIM": "sub"}


@register("tokens")
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Names and values that would have no effect or do not go together."""
    found = []
    for name, value in settings.SIMPLE_JWT.items():
        if name not in DEFAULTS:
            near = get_close_matches(name, DEFAULTS, 1)
            hint = f"Did you mean {near[0]}?" if near else "Remove it."
            found.append(("E001", f"SIMPLE_JWT: {name} is not a setting.", hint))
        if FIXED.get(name, value) != value:
            found.append(("E009", f"SIMPLE_JWT: {name} is always {FIXED[name]!r}.", "Restore it."))
    for place, names in DECIDED.items():
        for name in settings.SIMPLE_JWT.keys() & names.split():
            message = f"SIMPLE_JWT: {name} has no effect in this project."
            found.append(("E009", message, f"Remove it: {place} decides that."))
    login = import_string(api_settings.TOKEN_OBTAIN_SERIALIZER)
    if login.get_token.__func__ is not TokenObtainSerializer.get_token.__func__:
        message = f"{login.__name__}.get_token is never called."
        found.append(("E010", message, "Add claims in tokens/claims.py instead."))
    lifetimes = (
        api_settings.ACCESS_TOKEN_LIFETIME,
        api_settings.REFRESH_TOKEN_LIFETIME,
        getattr(settings, "SESSION_LIFETIME", None),
    )
    if not _lifetimes_fit(*lifetimes, getattr(settings, "REFRESH_GRACE_PERIOD", None)):
        message = "The lifetimes (access, refresh, session) do not go together: "
        hint = (
            "Write timedeltas with 0 < ACCESS_TOKEN_LIFETIME < REFRESH_TOKEN_LIFETIME "
            "<= SESSION_LIFETIME, and REFRESH_GRACE_PERIOD >= 0."
        )
        found.append(("E002", message + "; ".join(map(str, lifetimes)), hint))
    for name in ("ISSUER", "AUDIENCE"):
        if not isinstance(value := getattr(api_settings, name), str) or not value:
            hint = f"Set JWT_{name}, or a text in config/jwt.py."
            found.append(("E003", f"SIMPLE_JWT: {name} {value!r} is no name.", hint))
    types = api_settings.AUTH_HEADER_TYPES
    words = isinstance(types, (list, tuple)) and [WORD.fullmatch(str(word)) for word in types]
    if not words or not all(words):
        message = f"SIMPLE_JWT: AUTH_HEADER_TYPES {types!r} is no tuple of words."
        found.append(("E004", message, 'Write ("Bearer",), with the comma.'))
    return [Error(text, hint=hint, id=f"tokens.{id}") for id, text, hint in found]


def _lifetimes_fit(access: Any, refresh: Any, session: Any, grace: Any) -> bool:
    try:
        return bool(timedelta(0) < access < refresh <= session and grace >= timedelta(0))
    except TypeError:
        return False


@register("tokens")
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Reads every key, and signs and verifies with each that can."""
    algorithm = api_settings.ALGORITHM
    hint = f"Make a key for {algorithm} with `manage.py generate_signing_key`."
    if algorithm not in ALGORITHMS:
        message = f"SIMPLE_JWT: ALGORITHM {algorithm!r} is not supported."
        hint = f"Take one of {', '.join(ALGORITHMS)}."
        return [Error(message, hint=hint, id="tokens.E005")]
    try:
        ring = KeyRing(algorithm, settings.JWT_SIGNING_KEY, settings.JWT_VERIFYING_KEYS)
    except UnfitKey as error:
        return [Error(str(error), hint=hint, id="tokens.E006")]
    sign, verify = ring.implementation.sign, ring.implementation.verify
    for key in ring.keys:
        if key.signing and not verify(b"", key.verifying, sign(b"", key.signing)):
            message = f"The key {key.kid} does not verify what it signs."
            return [Error(message, hint=hint, id="tokens.E007")]
    texts: str = settings.JWT_SIGNING_KEY + settings.JWT_VERIFYING_KEYS
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if any(str(secret) in texts for secret in secrets):
        message = "JWT_SIGNING_KEY or JWT_VERIFYING_KEYS: it is the DJANGO_SECRET_KEY."
        return [Error(message, hint=hint, id="tokens.E008")]
    return []


# jinja: if cookiecutter.refresh_token_in == "cookie"
@register("tokens")
def check_origins(**kwargs: Any) -> list[CheckMessage]:
    """What CORS lets in may use the refresh cookie: web pages of known origins, and no others."""
    listed, patterns = cors.CORS_ALLOWED_ORIGINS, cors.CORS_ALLOWED_ORIGIN_REGEXES
    found = [f"CORS_ALLOWED_ORIGINS: {text}" for text in listed if not text.startswith("http")]
    found += [f"CORS_ALLOWED_ORIGIN_REGEXES: {text}" for text in patterns if re.match(text, "null")]
    found += ["CORS_ALLOW_ALL_ORIGINS"] if cors.CORS_ALLOW_ALL_ORIGINS else []
    hint = "Name the http and https origins whose pages may use the refresh cookie."
    return [Error(f"{text} lets others in.", hint=hint, id="tokens.E011") for text in found]


# jinja: endif
def refuse_to_start_if_wrong() -> None:
    """Runs these checks, for servers never run Django's.

    Raises ``SystemExit`` with one line for each error.
    """
    if errors := sorted(run_checks(tags=["tokens"]), key=str):
        raise SystemExit("\n".join(f"{error.msg} {error.hint}" for error in errors))

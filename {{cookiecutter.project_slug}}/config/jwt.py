"""How tokens and login sessions behave: every choice in one place.

``SIMPLE_JWT`` holds SimpleJWT's own settings under their documented names; its
lifetimes and ``ALGORITHM`` can be changed here at any time, for every algorithm.
``tests/test_choices.py`` expects these values: change both together.
"""

import os
from datetime import timedelta

PROJECT_SLUG = {{cookiecutter.project_slug | python}}

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": {{cookiecutter.access_token_lifetime | timedelta}},
    "REFRESH_TOKEN_LIFETIME": {{cookiecutter.refresh_token_lifetime | timedelta}},
    "ALGORITHM": {{cookiecutter.algorithm | python}},
    "AUTH_HEADER_TYPES": {{cookiecutter.auth_header_type | header_types_literal}},
    "ISSUER": os.environ.get("JWT_ISSUER") or PROJECT_SLUG,
    "AUDIENCE": os.environ.get("JWT_AUDIENCE") or PROJECT_SLUG,
    "USER_ID_FIELD": "pk",
    "USER_ID_CLAIM": "sub",
    "JSON_ENCODER": "rest_framework.utils.encoders.JSONEncoder",
    "AUTH_TOKEN_CLASSES": ("tokens.tokens.AccessToken",),
    "TOKEN_OBTAIN_SERIALIZER": "tokens.serializers.CustomTokenObtainPairSerializer",
    "TOKEN_REFRESH_SERIALIZER": "tokens.serializers.SessionTokenRefreshSerializer",
    "TOKEN_VERIFY_SERIALIZER": "tokens.serializers.SessionTokenVerifySerializer",
    "TOKEN_BLACKLIST_SERIALIZER": "tokens.serializers.SessionTokenBlacklistSerializer",
}

# How long a login session lasts, however often its tokens are refreshed.
SESSION_LIFETIME = {{cookiecutter.session_lifetime | timedelta}}

# For how long the previous refresh token still returns the current one, so that a lost
# response or a second browser tab does not look like theft. timedelta(0) turns it off.
REFRESH_GRACE_PERIOD = timedelta(seconds=10)

# jinja: if cookiecutter.refresh_token_in == "cookie"
# The cookie that holds the refresh token in browsers: arguments of Django's set_cookie.
# In production its name also starts with __Host-, and it is Secure.
REFRESH_COOKIE = {
    "key": f"{PROJECT_SLUG}_refresh_token",
    "path": "/",
    "httponly": True,
    "samesite": "Strict",
}

# jinja: endif
# Where the extra claims of tokens/claims.py go: into the access token, into the
# login response, or both.
EXTRA_CLAIMS_IN_TOKEN = {{"token" in cookiecutter.claims_in}}
EXTRA_CLAIMS_IN_RESPONSE = {{"response" in cookiecutter.claims_in}}

"""Settings that every environment shares."""

from pathlib import Path

# jinja: print "from config.email import mailer\n" if cookiecutter.accounts == "open"
from config.jwt import *

PROJECT_NAME = {{cookiecutter.project_name | python}}  # fmt: skip
BASE_DIR = Path(__file__).resolve().parent.parent.parent

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "api",
    "users",
    "tokens",
]

MIDDLEWARE = [
    "api.middleware.APIMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "api.middleware.SlashForReaders",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# Headers of every response, unless its view sets them. Most responses are about a token or
# a person, so they are not stored. None names the server's software. The admin and the API
# docs load from this host only; the hash allows the one inline style of drf-spectacular.
DEFAULT_HEADERS = {
    "Cache-Control": "no-store",
    "Server": "",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'; "
        "style-src 'self' 'sha256-MMpT0iDxyjALd9PdfepImGX3DBfJPXZ4IlDWdPAgtn0='"
    ),
}

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

# The waiting room of config/wsgi.py: how many requests Django handles at once in each
# worker process, how long a request waits for its turn, and how large its body may be.
TURNS = {{4 if cookiecutter.accounts == "open" else 2}}
TURN_TIMEOUT = 10  # seconds
BODY_LIMIT = 32 * 1024 * 1024  # bytes

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The admin's messages are in its session: looking for their cookie would slow every request.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Accounts
AUTH_USER_MODEL = "users.User"
PASSWORD_HASHERS = [
    "users.hashers.Argon2idPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# jinja: if cookiecutter.accounts == "open"
# Where the links in e-mails lead, and how long a link to set a password works.
FRONTEND_URL = "http://localhost:5173"
PASSWORD_RESET_TIMEOUT = 60 * 60  # seconds
globals().update(mailer("config.email.ReadableConsoleBackend"))

# jinja: endif
# Keys: each environment sets JWT_SIGNING_KEY; see tokens/keys.py for the formats.
JWT_VERIFYING_KEYS = ""

# How many proxies in front of this server append to X-Forwarded-For.
TRUSTED_PROXIES = 0

# The API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.SessionJWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.parsers.IgnoreAccept",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.errors.exception_handler",
    "NUM_PROXIES": TRUSTED_PROXIES,
}
# Response headers that scripts of other origins may read, besides the few that CORS allows.
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Request-ID"]
# jinja: if cookiecutter.refresh_token_in == "cookie"

# Pages of allowed origins may send the cookie, but only to the API. They must not read what
# the admin's cookie gives access to: the admin itself, and the CSRF token in the API docs.
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = r"/(api/(?!docs/)|\.well-known/)"

# jinja: endif
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes; a larger body gets 413
CSRF_FAILURE_VIEW = "api.errors.error_403"
DEFAULT_EXCEPTION_REPORTER_FILTER = "api.logs.RedactingReporterFilter"

HOOKS = ["tokens.schema.describe_access_token", "api.schema.describe_errors"]
# jinja: if cookiecutter.refresh_token_in == "cookie"
HOOKS.append("tokens.cookies.describe_refresh_cookie")
# jinja: endif
SPECTACULAR_SETTINGS = {
    "TITLE": PROJECT_NAME,
    "DESCRIPTION": "Log in with `POST /api/token/`, press **Authorize**, and paste the access token.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/"}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": ["rest_framework.authentication.SessionAuthentication"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/",
    "POSTPROCESSING_HOOKS": HOOKS,
}

# Pages and headers
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

TIME_ZONE = "UTC"
USE_I18N = False  # nothing is translated, and every request is faster without it

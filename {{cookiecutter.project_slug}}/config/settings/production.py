"""Production: everything comes from the environment, and nothing has a weak default.

A missing or unusable variable ends the process with one line that names it.
"""

from environs import validate

# jinja: print "from config.email import mail_server\n" if cookiecutter.accounts == "open"
from config.env import Environment, database, database_url, each, secret_key
from config.settings.base import *
from config.settings.base import MIDDLEWARE, SPECTACULAR_SETTINGS

DEBUG = False

env = Environment()
SECRET_KEY = env.str("DJANGO_SECRET_KEY", validate=secret_key)
SECRET_KEY_FALLBACKS: list[str] = env.list(
    "DJANGO_SECRET_KEY_FALLBACKS", [], subcast=str.strip, validate=each(secret_key)
)
ALLOWED_HOSTS: list[str] = env.list(
    "DJANGO_ALLOWED_HOSTS",
    subcast=str.strip,
    validate=each(validate.Regexp(r"\.?[A-Za-z0-9.-]+\Z|\[[0-9A-Fa-f:]+\]\Z")),
)
DATABASE_URL = env.str("DATABASE_URL", validate=database_url)
JWT_SIGNING_KEY = env.secret("JWT_SIGNING_KEY", required=True)
JWT_VERIFYING_KEYS = env.secret("JWT_VERIFYING_KEYS")
CORS_ALLOWED_ORIGINS = env.list(
    "CORS_ALLOWED_ORIGINS",
    [],
    subcast=str.strip,
    validate=each(validate.Regexp(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?\Z")),
)
# jinja: if cookiecutter.accounts == "open"
EMAIL_URL = env.str("EMAIL_URL", validate=mail_server)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", validate=validate.Regexp(r"[^@,]+@[^\s@,]+\Z"))
FRONTEND_URL = env.str("FRONTEND_URL", validate=validate.Regexp(r"https?://[^\s/#][^\s#]*\Z"))
# jinja: endif
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0, validate=validate.Range(min=0))
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
LOG_LEVEL = env.str(
    "LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
)
env.refuse_to_start_if_wrong()

# A stream may need a connection after its turn.
DATABASES = {"default": database(DATABASE_URL, connections=TURNS + 4)}
# jinja: if cookiecutter.accounts == "open"
globals().update(mail_server(EMAIL_URL))
# jinja: endif

# TLS ends at the proxy, which says so; without a proxy its header is not believed.
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

# jinja: if cookiecutter.refresh_token_in == "cookie"
# Browsers then take it from this very host only, and send it over TLS only.
REFRESH_COOKIE = REFRESH_COOKIE | {"key": f"__Host-{REFRESH_COOKIE['key']}", "secure": True}

# jinja: endif
# The API documentation is for staff who are signed in at /admin/; an empty path in
# config/urls.py takes it away altogether.
SPECTACULAR_SETTINGS["SERVE_PERMISSIONS"] = ["rest_framework.permissions.IsAdminUser"]

# The server hands out the pages' own files, compressed and named by their content.
MIDDLEWARE.insert(
    MIDDLEWARE.index("django.middleware.security.SecurityMiddleware") + 1,
    "whitenoise.middleware.WhiteNoiseMiddleware",
)
if not CORS_ALLOWED_ORIGINS:  # it would look through every request for nothing
    MIDDLEWARE.remove("corsheaders.middleware.CorsMiddleware")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# One JSON object a line on standard output, each with the id of its request.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "api.logs.RedactingJsonFormatter"}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
        }
    },
    "root": {"handlers": ["stdout"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
    },
}

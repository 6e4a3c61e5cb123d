"""Production: everything comes from the environment, and nothing has a weak default.

If a variable is missing or wrong, the process exits with a line that names it.
"""

import logging
import warnings

# jinja: print "from config import " ~ ("email, env" if cookiecutter.accounts == "open" else "env")
# jinja: print "\n"
from config.settings.base import *
from config.settings.base import MIDDLEWARE, REST_FRAMEWORK, SPECTACULAR_SETTINGS

DEBUG = False

variables = env.Environment(env.REPLACED)
SECRET_KEY = variables.read("DJANGO_SECRET_KEY", env.secret_key)
SECRET_KEY_FALLBACKS = variables.read("DJANGO_SECRET_KEY_FALLBACKS", env.secret_keys, [])
ALLOWED_HOSTS = variables.read("DJANGO_ALLOWED_HOSTS", env.hosts)
DATABASES = {"default": variables.read("DATABASE_URL", env.database)}
JWT_SIGNING_KEY = variables.secret("JWT_SIGNING_KEY")
JWT_VERIFYING_KEYS = variables.secret("JWT_VERIFYING_KEYS", "")
CORS_ALLOWED_ORIGINS = variables.read("CORS_ALLOWED_ORIGINS", env.origins, [])
CSRF_TRUSTED_ORIGINS = variables.read("CSRF_TRUSTED_ORIGINS", env.origins, [])
# jinja: if cookiecutter.accounts == "open"
MAIL_SETTINGS = variables.read("EMAIL_URL", email.mail_server)
DEFAULT_FROM_EMAIL = variables.read("DEFAULT_FROM_EMAIL", env.sender)
FRONTEND_URL = variables.read("FRONTEND_URL", env.pages)
# jinja: endif
TRUSTED_PROXIES = int(variables.read("TRUSTED_PROXIES", env.number, "0"))
SECURE_SSL_REDIRECT = variables.read("SECURE_SSL_REDIRECT", env.boolean, True)
LOG_LEVEL = variables.read("LOG_LEVEL", env.matching("DEBUG|INFO|WARNING|ERROR|CRITICAL"), "INFO")
URL_PREFIX = variables.read("URL_PREFIX", env.url_prefix, "").rstrip("/")
variables.refuse_to_start_if_wrong()

# The API can be served under a path, whether or not a proxy strips it.
FORCE_SCRIPT_NAME = URL_PREFIX
STATIC_URL = f"{URL_PREFIX}/static/"
SPECTACULAR_SETTINGS["SERVERS"] = [{"url": URL_PREFIX or "/"}]
# jinja: if cookiecutter.accounts == "open"
globals().update(MAIL_SETTINGS)
# jinja: endif

# TLS ends at the proxy, which says so in a header. Without a proxy nobody may send it.
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
REST_FRAMEWORK["NUM_PROXIES"] = TRUSTED_PROXIES
SECURE_REDIRECT_EXEMPT = [rf"^{URL_PREFIX.lstrip('/')}/?health/"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

# jinja: if cookiecutter.refresh_token_in == "cookie"
# Browsers accept such a cookie from this host only, and send it only over TLS.
REFRESH_COOKIE = REFRESH_COOKIE | {"key": f"__Host-{REFRESH_COOKIE['key']}", "secure": True}

# jinja: endif
# The API documentation is for staff who are signed in at /admin/. To remove it, delete the
# paths "", api/schema/ and api/docs/ in config/urls.py.
SPECTACULAR_SETTINGS["SERVE_PERMISSIONS"] = ["rest_framework.permissions.IsAdminUser"]

# WhiteNoise serves the static files, compressed and named after a hash of their content.
security = MIDDLEWARE.index("django.middleware.security.SecurityMiddleware")
MIDDLEWARE.insert(security + 1, "whitenoise.middleware.WhiteNoiseMiddleware")
if not CORS_ALLOWED_ORIGINS:  # it would inspect every request for nothing
    MIDDLEWARE.remove("corsheaders.middleware.CorsMiddleware")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# One JSON object per line on standard output, with the id of the request.
logging.captureWarnings(True)
warnings.filterwarnings("ignore", "No directory at")  # a system check reports it
CONSOLE = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "api.logs.RedactingJsonFormatter"}},
    "handlers": {"console": CONSOLE},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {n: {"level": LOG_LEVEL, "propagate": True} for n in ("django", "_granian")},
}

"""Production settings, as they are after ``manage.py collectstatic``."""

from config.settings.production import *  # noqa: F403

FILES = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {"default": {"BACKEND": FILES}, "staticfiles": {"BACKEND": FILES}}

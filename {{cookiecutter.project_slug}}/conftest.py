"""The fixtures of ``tests/``, for apps that keep their tests beside their code."""

from tests.conftest import *  # noqa: F403

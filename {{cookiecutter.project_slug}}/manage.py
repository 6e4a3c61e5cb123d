#!/usr/bin/env python
"""Django's command line, in development settings unless told otherwise."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")
    if sys.argv[1:2] == ["generate_signing_key"]:
        sys.argv.append("--settings=config.settings.test")  # other settings may need the key
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

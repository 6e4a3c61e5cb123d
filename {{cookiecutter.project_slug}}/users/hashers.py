"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idPasswordHasher(Argon2PasswordHasher):
    """argon2id with the parameters of OWASP's Password Storage Cheat Sheet.

    A password takes about 20 ms; Django's defaults for argon2 take seven times as long,
    and eight threads. If logins are rare, raise ``time_cost`` first. Existing hashes are
    upgraded at the next login, without ending any session.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

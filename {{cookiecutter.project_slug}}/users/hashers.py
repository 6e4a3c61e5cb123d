"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idPasswordHasher(Argon2PasswordHasher):
    """argon2id with the parameters of OWASP's Password Storage Cheat Sheet.

    About 20 ms a password, where Django's defaults for argon2 take seven times as
    long and eight threads. Raise ``time_cost`` first if logins are rare; existing
    hashes are upgraded at the next login, and no session ends through that.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

"""Fuzz a live server by its own OpenAPI document.

    RENDERED_PYTHON=... TEST_POSTGRES_URL=... python scripts/fuzz_api.py [CASES]

Schemathesis makes requests that fit the document and requests that do not, CASES in
all (2 400 by default), as a user who is logged in. Nothing may be answered with 5xx,
nor with a status, a content type or a body that the document does not describe.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from servers import Project, Server, database_with_user

CASES = int(sys.argv[1]) if sys.argv[1:] else 2400
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


class User:
    """A user who is logged in, whatever the requests before have done."""

    def __init__(self, server: Server) -> None:
        """Log in at the first request."""
        self.server = server
        self.pair: dict[str, str] = {}

    def headers(self) -> dict[str, str]:
        """Return authorization, from an address that is not throttled yet."""
        if not self.pair or not self.server.opens_to(self.pair["access"]):
            self.pair = self.server.login()
        address = f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"
        return {
            "Authorization": f"Bearer {self.pair['access']}",
            "X-Forwarded-For": address,
        }


def fuzz(server: Server, document: dict[str, Any]) -> Counter[str]:
    """Send the cases; return how often each operation gave each status."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=server.url)
    operations = [found.ok() for found in schema.get_all_operations()]
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    each = ceil(CASES / len(operations) / len(modes))
    user, found = User(server), Counter[str]()

    def send(case: Case) -> None:
        headers = user.headers()
        if isinstance(case.body, dict):  # a genuine token here and there
            for name in {"token", "refresh"} & case.body.keys():
                if secrets.randbelow(2):
                    case.body[name] = user.pair["refresh"]
        response = case.call_and_validate(headers=headers, checks=CHECKS)
        described = case.operation.definition.raw["responses"]
        assert str(response.status_code) in described or response.status_code == 405, (
            f"{case.operation.label}: {response.status_code} is not described. "
            f"{case.as_curl_command()}"
        )
        found[f"{case.operation.label} {response.status_code}"] += 1

    quick = settings(
        max_examples=each,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for operation in operations:
        for mode in modes:
            sent = sum(found.values())
            strategy = operation.as_strategy(generation_mode=mode)
            with suppress(Unsatisfiable):  # without parameters none can be wrong
                tries: Any = given(strategy)
                seed(secrets.randbits(32))(quick(tries(send)))()
            # And there are few different requests then.
            while sum(found.values()) < sent + each:
                send(operation.Case())
    return found


def main() -> None:
    """Serve a project, fetch its document, fuzz."""
    with (
        tempfile.TemporaryDirectory() as folder,
        database_with_user("postgresql", Path(folder)) as url,
    ):
        project = Project(Path(folder, "fuzzed"), url)
        project.environment["TRUSTED_PROXIES"] = "1"
        document = json.loads(project.manage("spectacular", "--format=openapi-json"))
        with project.serve() as server:
            found = fuzz(server, document)
    for what, times in sorted(found.items()):
        print(f"{times:6} {what}")
    print(f"{sum(found.values()):6} cases, each answered as the document says.")


if __name__ == "__main__":
    main()

"""A mail server on this machine, which keeps what it receives."""

from __future__ import annotations

import datetime
import email
import ipaddress
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from servers import HOST, free_port

USER, PASSWORD = b"api@example.com", b"p:@ss/word"
CREDENTIALS = "api%40example.com:p%3A%40ss%2Fword@"


class Mail(NamedTuple):
    """A message, and the page and token of the link in it, if there is one."""

    to: str
    subject: str
    text: str
    page: str
    token: str


class Mailbox:
    """The messages that aiosmtpd receives, and who may log in."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def handle_DATA(  # noqa: N802 - as aiosmtpd calls it
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        text = message.get_content().replace("\r\n", "\n")
        found = re.search(r"^\S+/([\w-]+)#token=(\S+)$", text, re.M)
        link = found.groups() if found else ("", "")
        self.mails.append(Mail(envelope.rcpt_tos[0], message["Subject"], text, *link))
        return "250 OK"

    def let_in(self, server: Any, session: Any, *given: Any) -> AuthResult:
        """Accept the right password, and only over TLS."""
        [_, login] = given[-2:]
        assert isinstance(login, LoginPassword)
        return AuthResult(success=login == LoginPassword(USER, PASSWORD))

    def last(self, to: str) -> Mail:
        """Return the last message to that address."""
        return [mail for mail in self.mails if mail.to == to][-1]


@contextmanager
def mail_server(scheme: str, folder: Path) -> Iterator[tuple[Mailbox, dict[str, str]]]:
    """Run it, and yield its mailbox and the variables for projects that use it."""
    certificate = folder / "mail.pem"
    certificate.write_bytes(self_signed())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    mailbox, port = Mailbox(), free_port()
    login: dict[str, Any] = {"authenticator": mailbox.let_in, "auth_required": True}
    options: dict[str, dict[str, Any]] = {
        "smtps": {"ssl_context": context, "auth_require_tls": False} | login,
        "smtp+tls": {"tls_context": context, "require_starttls": True} | login,
        "smtp": {},
    }
    controller = Controller(mailbox, HOST, port, **options[scheme])
    controller.start()
    user = CREDENTIALS if options[scheme] else ""
    url = f"{scheme}://{user}{HOST}:{port}"
    try:
        yield mailbox, {"EMAIL_URL": url, "SSL_CERT_FILE": str(certificate)}
    finally:
        controller.stop()


def self_signed() -> bytes:
    """Make a key and its certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)

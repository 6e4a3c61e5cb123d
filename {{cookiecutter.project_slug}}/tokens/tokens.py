"""The two kinds of tokens: SimpleJWT's classes, bound to a login session."""

import logging
import re
from typing import Any, NoReturn, Self
from uuid import UUID

from django.conf import settings
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.exceptions import TokenError

from tokens import sessions
from tokens.claims import Claims, claims_for
from tokens.keys import KeyRingTokenBackend, token_backend
from tokens.models import LoginSession
from users.models import User

logger = logging.getLogger(__name__)

# The size of an access token, in bytes, that is worth a warning: many servers and proxies
# refuse requests with 8 kB of headers.
LARGE = 4096

# How these claims look in our tokens. Anything else is not ours.
CLAIM_PATTERNS = {
    "jti": re.compile(r"[!-~]{1,255}"),
    "sub": re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}"),  # a key may be any text
    "sid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


class SessionToken(tokens.Token):
    """What both kinds share: the claims ``sub`` and ``sid``."""

    @property
    def token_backend(self) -> KeyRingTokenBackend:
        return token_backend()

    @property
    def sid(self) -> UUID:
        """The id of the login session."""
        return UUID(self.payload["sid"])

    def verify(self) -> None:
        super().verify()
        self.verify_patterns()

    def verify_patterns(self) -> None:
        """Raise ``TokenError`` unless the claims look like ours."""
        for name, form in CLAIM_PATTERNS.items():
            value = self.payload.get(name)
            if not isinstance(value, str) or not form.fullmatch(value):
                raise TokenError(f"Token has no usable '{name}' claim")

    def clamp_to(self, session: LoginSession) -> None:
        """Make the token expire no later than its session."""
        self.payload["exp"] = min(self.payload["exp"], int(session.expires.timestamp()))


class AccessToken(SessionToken, tokens.AccessToken):
    """Grants access for a few minutes, while its session is live. Has the extra claims.

    A token that was parsed has its ``session``.
    """

    session: LoginSession
    size_is_logged = False

    @classmethod
    def for_user(cls, user: User) -> NoReturn:
        """Refuse: an access token needs a session, which a refresh token starts."""
        raise TypeError("Use tokens.tokens.RefreshToken.for_user(user).access_token instead.")

    def __str__(self) -> str:
        text: str = super().__str__()
        if len(text) > LARGE and not AccessToken.size_is_logged:
            AccessToken.size_is_logged = True
            sizes = {name: len(str(value)) for name, value in self.payload.items()}
            logger.warning("An access token has %d bytes. Its claims' sizes: %s", len(text), sizes)
        return text

    def verify(self) -> None:
        super().verify()
        self.session = sessions.get(self.sid, self.payload["sub"])


class RefreshToken(SessionToken, tokens.RefreshToken):
    """Can be exchanged once for the next pair of tokens. Has no personal data.

    A token that was created here, not parsed, has its ``session`` and the extra
    ``claims`` of the user at that moment.
    """

    access_token_class = AccessToken
    no_copy_claims = (*tokens.RefreshToken.no_copy_claims, "seq")
    session: LoginSession
    claims: Claims

    @classmethod
    def for_user(cls, user: User, **session: Any) -> Self:
        """Start a session (see ``sessions.start``), and return its first token."""
        return cls.for_session(sessions.start(user, **session), 0)

    @classmethod
    def for_session(cls, session: LoginSession, seq: int) -> Self:
        """Return the refresh token number ``seq`` of ``session``."""
        token = cls()
        token.session = session
        token.claims = claims_for(session.user)
        token.payload |= {"sub": str(session.user_id), "sid": str(session.pk), "seq": seq}
        token.clamp_to(session)
        return token

    @classmethod
    def of_any_age(cls, text: str) -> Self:
        """Parse a refresh token that we have signed, expired or not. Raises ``TokenError``."""
        token = cls(text, verify=False)
        token.verify_token_type()
        token.verify_patterns()
        return token

    @property
    def access_token(self) -> AccessToken:
        """A new access token of the same session."""
        access: AccessToken = super().access_token
        access.clamp_to(self.session)
        if settings.EXTRA_CLAIMS_IN_TOKEN:
            access.payload = self.claims | access.payload
        return access

    def verify_patterns(self) -> None:
        super().verify_patterns()
        seq = self.payload.get("seq")
        if type(seq) is not int or seq < 0:
            raise TokenError("Token has no usable 'seq' claim")

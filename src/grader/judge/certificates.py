"""TLS for the `world` fixture: an authority of a check's own, and what it signs."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import trustme

DAY = timedelta(days=1)


class Authority:
    """A private certificate authority."""

    def __init__(self) -> None:
        self._authority = trustme.CA(key_type=trustme.KeyType.ECDSA)

    @property
    def pem(self) -> str:
        """Its certificate: whoever has it can choose to trust what it signed."""
        return self._authority.cert_pem.bytes().decode()

    def context(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        """For `tls=`: a server with a certificate for these names or addresses."""
        until = datetime.now(UTC) - DAY if expired else None
        certificate = self._authority.issue_cert(
            *names, not_after=until, key_type=trustme.KeyType.ECDSA
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context

"""Keys, and tokens that are made by hand: those of the service, and those of an attacker."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

CURVE = ec.SECP256R1()


class Key:
    """A key pair on the curve P-256, always the same for the same text."""

    def __init__(self, text):
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:31]) + 1
        self._private = ec.derive_private_key(number, CURVE)
        public = self._private.public_key()
        self.private_pem = self._private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode()
        self.public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.public_der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(public))

    def sign(self, claims, **header):
        """A token that this key has signed; claims that are None are left out."""
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self._private, algorithm="ES256", headers=header)

    def claims(self, token):
        """What a token of the service says; the check fails when this key has not signed it."""
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self.public_pem,
                algorithms=["ES256"],
                options={"verify_exp": False, "verify_iat": False, "verify_sub": False},
            )
        except (jwt.PyJWTError, TypeError, ValueError) as error:
            pytest.fail(
                f"The access token is not a JWT that was signed by ES256 with SIGNING_KEY: {error}"[
                    :300
                ]
            )
        assert header.get("alg") == "ES256", "The header of the token should name this algorithm."
        return claims


def _encoded(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header, claims, signature=""):
    """header.claims.signature, whatever they are."""
    return f"{_encoded(header)}.{_encoded(claims)}.{signature}"


def with_hmac(algorithm, secret, claims, **header):
    """A token whose signature is an HMAC."""
    signed = unsigned({"alg": algorithm, "typ": "JWT", **header}, claims).rpartition(".")[0]
    digest = hmac.new(secret, signed.encode(), f"sha{algorithm[2:]}").digest()
    return f"{signed}.{_encoded(digest)}"


def signature_of(token):
    return token.rpartition(".")[2]

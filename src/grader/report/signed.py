"""A report that nobody can alter: in a signed envelope (DSSE 1.0, Ed25519 of RFC 8032).

DSSE (github.com/secure-systems-lab/dsse) signs the bytes of the payload together with their type,
so nothing depends on how JSON is written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from grader.errors import UsageError
from grader.model.report import Report
from grader.report.jsonform import to_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PAYLOAD_TYPE = "application/vnd.grader.report+json"
LARGEST = 64 * 1024 * 1024
"""Bytes of an envelope, at most."""
_MAKE_KEY = "make one: openssl genpkey -algorithm ed25519 -out key.pem"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a verdict was made of. Digests are SHA-256; `learner` is whose it is, "" when unsaid."""

    exercise_digest: str
    made_of: str
    """Of the images and of grader's own code."""
    learner: str = ""


class Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload_type: str
    payload: str
    signatures: list[Signature]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed."""

    format: int = 1
    exercise_digest: str
    made_of: str
    learner: str
    report: Report


class NotGenuine(Exception):
    """The envelope is not what the holder of the key signed; the text says how one knows."""


def to_signed(report: Report, origin: Origin, private_pem: bytes) -> bytes:
    """The report in an envelope. Raises UsageError when the key cannot be used."""
    key = private_key(private_pem)
    statement = {
        "format": 1,
        "exercise_digest": origin.exercise_digest,
        "made_of": origin.made_of,
        "learner": origin.learner,
        "report": msgspec.Raw(to_json(report)),
    }
    payload = msgspec.json.encode(statement)
    signature = Signature(sig=_base64(key.sign(_signed(payload))), keyid=key_id(key.public_key()))
    envelope = Envelope(payload_type=PAYLOAD_TYPE, payload=_base64(payload), signatures=[signature])
    return msgspec.json.format(msgspec.json.encode(envelope), indent=2) + b"\n"


def verified(data: bytes, public_pem: bytes) -> Statement:
    """The statement in an envelope, once its signature holds.

    Raises NotGenuine for everything that was not signed with the key's other half, UsageError when
    the key cannot be used.
    """
    from cryptography.exceptions import InvalidSignature

    key = _public(public_pem)
    try:
        envelope = msgspec.json.decode(data, type=Envelope)
        payload = base64.b64decode(envelope.payload, validate=True)
        signatures = [base64.b64decode(one.sig, validate=True) for one in envelope.signatures]
    except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError):
        raise NotGenuine("it is no signed report") from None
    if envelope.payload_type != PAYLOAD_TYPE:
        raise NotGenuine("what is signed in it is no report of grader")
    for signature in signatures:
        try:
            key.verify(signature, _signed(payload))
            break
        except InvalidSignature:
            continue
    else:
        raise NotGenuine("it was altered, or signed with another key")
    try:
        return msgspec.json.decode(payload, type=Statement)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UsageError(
            f"it was signed by a grader that this one does not understand: {error}",
            fix="update grader",
        ) from None


def key_id(key: Ed25519PublicKey) -> str:
    """A short name of a key: the first half of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:32]


def _signed(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """The key in a PEM file without a password. Raises UsageError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageError("the signing key is no private key in PEM", fix=_MAKE_KEY) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("the signing key is not of the kind Ed25519", fix=_MAKE_KEY)
    return key


def _public(pem: bytes) -> Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    how = "take it from the private one: openssl pkey -in key.pem -pubout -out key.pub.pem"
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageError("the key is no public key in PEM", fix=how) from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("the key is not of the kind Ed25519", fix=how)
    return key

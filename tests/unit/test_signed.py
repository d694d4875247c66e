"""A signed report: genuine as it was written, and nothing else is."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from grader.errors import UsageError
from grader.report.signed import PAYLOAD_TYPE, NotGenuine, Origin, to_signed, verified
from tests.unit.reports import STORED, stored

ORIGIN = Origin(exercise_digest="a" * 64, made_of="b" * 64, learner="ann")


def keys(seed: int = 1) -> tuple[bytes, bytes]:
    """A private and its public key, PEM; the same for the same seed."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("name", STORED)
def test_genuine(name: str) -> None:
    """What was signed comes back, report and all."""
    private, public = keys()
    statement = verified(to_signed(stored(name), ORIGIN, private), public)
    assert statement.report == stored(name)
    assert (statement.learner, statement.exercise_digest) == ("ann", "a" * 64)


def test_as_dsse_says() -> None:
    """The signature is that of DSSE's encoding, so any DSSE library can check it."""
    private, public = keys()
    envelope = json.loads(to_signed(stored(STORED[0]), ORIGIN, private))
    assert envelope["payloadType"] == PAYLOAD_TYPE
    payload = base64.b64decode(envelope["payload"])
    said = b" ".join(
        (b"DSSEv1", str(len(PAYLOAD_TYPE)).encode(), PAYLOAD_TYPE.encode())
    ) + b" %d " % len(payload)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key()
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), said + payload)
    del public


def _score(envelope: dict[str, Any]) -> None:
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["report"]["score"] = 100.0
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()


def _space(envelope: dict[str, Any]) -> None:
    payload = base64.b64decode(envelope["payload"]) + b" "
    envelope["payload"] = base64.b64encode(payload).decode()


def _other_key(envelope: dict[str, Any]) -> None:
    envelope.update(json.loads(to_signed(stored(STORED[0]), ORIGIN, keys(2)[0])))


@pytest.mark.parametrize(
    "change",
    [
        _score,
        _space,
        _other_key,
        lambda envelope: envelope.update(signatures=[]),
        lambda envelope: envelope.update(signatures=[{"sig": ""}]),
        lambda envelope: envelope.update(signatures=[{"sig": "A" * 86 + "=="}]),
        lambda envelope: envelope.update(payloadType="text/plain"),
        lambda envelope: envelope.update(payload="?"),
        lambda envelope: envelope.pop("payload"),
    ],
)
def test_altered(change: Any) -> None:
    """Each of these is told from a genuine one."""
    private, public = keys()
    envelope = json.loads(to_signed(stored(STORED[0]), ORIGIN, private))
    change(envelope)
    with pytest.raises(NotGenuine):
        verified(json.dumps(envelope).encode(), public)


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 100_000, b"\xff", b'{"payload": 1}'])
def test_no_envelope(data: bytes) -> None:
    """Whatever is no envelope is not genuine, and raises nothing else."""
    with pytest.raises(NotGenuine):
        verified(data, keys()[1])


def test_wrong_keys() -> None:
    """A key that cannot be used is the user's mistake, and says how to make one."""
    private, public = keys()
    other = x25519.X25519PrivateKey.generate()
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    report = stored(STORED[0])
    for wrong in (b"", public, pem, b"-----BEGIN PRIVATE KEY-----\nAAAA\n"):
        with pytest.raises(UsageError, match="key") as raised:
            to_signed(report, ORIGIN, wrong)
        assert "openssl" in raised.value.fix
    whole = to_signed(report, ORIGIN, private)
    for wrong in (b"", private):
        with pytest.raises(UsageError, match="key"):
            verified(whole, wrong)

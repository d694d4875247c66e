"""Seeds that a course gives out: nobody without its secret can know or choose them."""

from __future__ import annotations

import hashlib
import hmac

BITS = 31


def learner_seed(secret: str, learner: str, slug: str, version: int) -> int:
    """What makes a learner's own material: HMAC-SHA-256 (RFC 2104) of whose it is and what for."""
    return _number(secret, "learner", learner, slug, str(version))


def run_seed(secret: str, learner: str, slug: str, version: int, submission: str) -> int:
    """The inputs of one submission's checks: the same whenever and wherever it is graded."""
    return _number(secret, "run", learner, slug, str(version), submission)


def _number(secret: str, *parts: str) -> int:
    # Lengths in front: no two lists of parts make the same text.
    text = "".join(f"{len(part.encode())}:{part}" for part in parts)
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - BITS)

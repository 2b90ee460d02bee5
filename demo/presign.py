"""Presigned addresses, in the manner of AWS Signature Version 4 queries.

The signature covers the method, the path and the rest of the query, so that an address for GET is
good for GET only. The canonical form differs from that of AWS: the same program signs and checks.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

LIFE_SECONDS = 600  # GitLab's own


@dataclass(frozen=True, slots=True)
class Presigner:
    """Signs for GitLab, checks for the object store."""

    key: bytes

    def query(self, path: str, disposition: str) -> str:
        """The query that lets anyone GET the (quoted) path for ten minutes."""
        signed = urlencode(
            {
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                "X-Amz-Date": str(int(time.time())),
                "X-Amz-Expires": str(LIFE_SECONDS),
                "response-content-disposition": disposition,
            }
        )
        return f"{signed}&X-Amz-Signature={self._signature('GET', path, signed)}"

    def refusal(self, method: str, path: str, query: str) -> tuple[str, str] | None:
        """Why a request is refused, as S3's error code and message; None if it is not."""
        signed, separator, signature = query.rpartition("&X-Amz-Signature=")
        if not separator:
            return "AccessDenied", "Access Denied"
        if not hmac.compare_digest(
            signature.encode(), self._signature(method, path, signed).encode()
        ):
            return "SignatureDoesNotMatch", (
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method."
            )
        fields = dict(parse_qsl(signed))
        if time.time() > int(fields["X-Amz-Date"]) + int(fields["X-Amz-Expires"]):
            return "AccessDenied", "Request has expired"
        return None

    def _signature(self, method: str, path: str, signed: str) -> str:
        message = f"{method}\n{path}\n{signed}"
        return hmac.new(self.key, message.encode(), hashlib.sha256).hexdigest()

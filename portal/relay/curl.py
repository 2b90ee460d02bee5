"""Tornado's curl client without two of its defects: a timer that outlives it, printed errors."""

from collections.abc import Callable

import pycurl
from tornado.curl_httpclient import CurlAsyncHTTPClient, CurlError
from tornado.httputil import HTTPHeaders, HTTPInputError

from portal.config.model import GitLab

_CERTIFICATE = (
    pycurl.E_PEER_FAILED_VERIFICATION,
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_SSL_ISSUER_ERROR,
)
REFUSED = -1  # any number but the line's length makes libcurl end the transfer with an error


class CurlClient(CurlAsyncHTTPClient):
    """A curl client whose `close` cancels its timer, and which fails quietly when a response is not
    HTTP. Belongs to one event loop."""

    def close(self) -> None:
        """End every transfer, and the timer that libcurl sets while its handles are closed."""
        super().close()
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)

    def _curl_header_callback(  # type: ignore[override] # libcurl takes the number
        self, headers: HTTPHeaders, header_callback: Callable[[str], None] | None, line: bytes
    ) -> int | None:
        """Refuse a line that cannot be parsed; pycurl would print an exception."""
        try:
            super()._curl_header_callback(headers, header_callback, line)
        except HTTPInputError:
            return REFUSED
        return None


def towards_gitlab(gitlab: GitLab) -> Callable[[pycurl.Curl], None]:
    """What a handle needs for requests to GitLab itself: the private CA and the proxy of
    `[gitlab]`, and none of the environment's."""

    def prepare(curl: pycurl.Curl) -> None:
        curl.setopt(pycurl.PROXY, gitlab.proxy)
        if gitlab.ca_file:
            curl.setopt(pycurl.CAINFO, str(gitlab.ca_file))

    return prepare


def reason(error: CurlError) -> str:
    """Why there was no answer, for the log."""
    said = "".join(c if c.isprintable() else " " for c in str(error.message))[:200]
    if error.errno in _CERTIFICATE:
        return f"its certificate is not accepted: {said} (see gitlab.ca_file)"
    return f"no answer: {said} (libcurl's error {error.errno})"

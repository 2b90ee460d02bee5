"""Set-up of curl for every request of the portal: client, agent, proxy, CA, stale connections."""

from collections.abc import Callable

import pycurl
from tornado.curl_httpclient import CurlAsyncHTTPClient, CurlError
from tornado.httputil import HTTPHeaders, HTTPInputError

from portal import __version__
from portal.config.model import GitLab

USER_AGENT = f"portal/{__version__}"
# What libcurl says of a pooled connection that the other side had closed before it was used.
STALE_CONNECTION = (pycurl.E_GOT_NOTHING, pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR)
_CERTIFICATE = (
    pycurl.E_PEER_FAILED_VERIFICATION,
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_SSL_ISSUER_ERROR,
)
REFUSED = -1  # any number but the line's length makes libcurl end the transfer with an error


class CurlClient(CurlAsyncHTTPClient):
    """Tornado's curl client without two of its defects: `close` cancels its timer too, and a
    response that is not HTTP makes it fail without printing. Belongs to one event loop."""

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


def without_proxy(curl: pycurl.Curl) -> None:
    """Connect directly. Tornado unsets the proxy, and libcurl would then obey http_proxy from the
    environment."""
    curl.setopt(pycurl.PROXY, "")


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

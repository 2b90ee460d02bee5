"""Tornado's curl client, as every process uses it, with what it leaves undone."""

from collections.abc import Callable

from tornado.curl_httpclient import CurlAsyncHTTPClient
from tornado.httputil import HTTPHeaders, HTTPInputError

REFUSED = -1  # libcurl then ends the transfer with an error


class CurlClient(CurlAsyncHTTPClient):
    """Closed for good, and silent about answers that are no HTTP; belongs to one event loop."""

    def close(self) -> None:
        """End every transfer, and the timer that libcurl sets while its handles are closed."""
        super().close()
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)

    def _curl_header_callback(  # type: ignore[override] # libcurl takes the number
        self, headers: HTTPHeaders, header_callback: Callable[[str], None] | None, line: bytes
    ) -> int | None:
        """Refuse a line that cannot be parsed: what is raised here would be printed."""
        try:
            super()._curl_header_callback(headers, header_callback, line)
        except HTTPInputError:
            return REFUSED
        return None

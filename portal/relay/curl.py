"""Tornado's curl client without two of its defects: a timer that outlives it, printed errors."""

from collections.abc import Callable

from tornado.curl_httpclient import CurlAsyncHTTPClient
from tornado.httputil import HTTPHeaders, HTTPInputError

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

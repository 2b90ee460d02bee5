"""One request on a curl handle: set up, paused, aborted, timed, and how it ended.

Tornado's curl client has no back-pressure, so a transfer puts its own functions on the handle.
`portal.relay` says how they work together, and what was measured.
"""

import asyncio

import pycurl
from tornado.curl_httpclient import CurlError
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from portal.errors import PortalError, UpstreamFailed, UpstreamSlow
from portal.relay.curl import STALE_CONNECTION, without_proxy
from portal.relay.stall import StallTimer

# One read from the upstream's socket. libcurl hands it over in pieces of 16 KiB, and keeps what is
# left of it when paused, so this too is memory that a slow client holds.
READ_BYTES = 512 << 10


class CurlTransfer:
    """The base of `Relay`: what concerns libcurl, whichever way the bytes go.

    A subclass says in `_configure` what else is set on the handle, takes the answer in `_on_header`
    and `_on_body`, says in `_paused_directions` which directions it holds back, and hears in
    `_ended` that the upstream's side is over. Everything runs on the event loop that made it.
    """

    def __init__(self, client: AsyncHTTPClient, request: HTTPRequest) -> None:
        """Start the request. A subclass sets its own attributes before it calls this."""
        self._curl: pycurl.Curl | None = None
        self._stall_timer = StallTimer()
        self._aborted = False
        self._reason: PortalError | None = None
        request.prepare_curl_callback = self._set_up
        self._request = request
        self._done = client.fetch(request, raise_error=False)
        self._done.add_done_callback(self._over)

    def _configure(self, curl: pycurl.Curl) -> None:
        raise NotImplementedError

    def _on_header(self, line: bytes) -> int | None:
        raise NotImplementedError

    def _on_body(self, data: bytes) -> int | None:
        raise NotImplementedError

    def _paused_directions(self) -> int:
        raise NotImplementedError

    def _ended(self) -> None:
        raise NotImplementedError

    @property
    def over(self) -> bool:
        """Whether the upstream's side has ended, well or not."""
        return self._done.done()

    def abort(self, reason: PortalError | None = None) -> None:
        """End the transfer now; `reason` is what whoever waits for it gets.

        May be called at any moment, and more than once.
        """
        self._aborted = True
        self._reason = self._reason or reason
        self._stall_timer.stop()
        # libcurl looks at a transfer again when its pause changes, and then sees that the callbacks
        # fail; without this, one whose upstream sends nothing would stay for good.
        self._pause(pycurl.PAUSE_ALL, pycurl.PAUSE_CONT)

    def _set_up(self, curl: pycurl.Curl) -> None:
        if self._aborted:
            raise ConnectionAbortedError
        self._curl = curl
        # Tornado resets a handle before it is used again, so none of these outlives the exchange;
        # the owner is noted because a late callback could still meet another one's handle.
        curl.transfer = self
        without_proxy(curl)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)  # 2 buffers a window each
        curl.setopt(pycurl.BUFFERSIZE, READ_BYTES)
        curl.setopt(pycurl.HEADERFUNCTION, self._on_header)
        curl.setopt(pycurl.WRITEFUNCTION, self._on_body)
        curl.setopt(pycurl.NOPROGRESS, 0)
        curl.setopt(pycurl.XFERINFOFUNCTION, self._on_progress)
        self._configure(curl)

    def _on_progress(self, *_: int) -> bool:
        return self._aborted  # this is the one callback that libcurl calls while nothing moves

    def _over(self, done: asyncio.Future[HTTPResponse]) -> None:
        done.exception()  # `_check` raises it where somebody waits
        self._stall_timer.stop()
        self._ended()
        # Each of these references would keep this object, and the bytes that it holds, in memory
        # until the handle is used again or the garbage collector runs.
        self._request.prepare_curl_callback = None
        if self._curl is not None and self._curl.transfer is self:
            self._curl.transfer = None

    def _pause(self, *masks: int) -> None:
        if self._curl is not None and self._curl.transfer is self and not self.over:
            try:
                for mask in masks:
                    self._curl.pause(mask)
            except pycurl.error:
                pass  # the transfer has just ended; `_done` says how

    def _continue(self) -> None:
        """Let libcurl move what is not held back: its one mask is for both directions."""
        self._pause(self._paused_directions())

    def _expect(self, seconds: float) -> None:
        """End the transfer when the upstream moves nothing for so long."""
        if not self.over:
            self._stall_timer.start(seconds, self._too_slow)

    def _too_slow(self) -> None:
        self.abort(UpstreamSlow("The upstream server takes too long.", retry_after=30))

    @property
    def _stale(self) -> bool:
        """Whether it ended as a pooled connection does that the upstream had closed before."""
        error = self._done.exception() if self._done.done() else None
        return isinstance(error, CurlError) and error.errno in STALE_CONNECTION

    def _check(self) -> None:
        """Raise what ended the transfer, if it did not end well."""
        if self._reason:
            raise self._reason
        try:
            self._done.result()
        except CurlError as error:
            raise _failure(error) from error
        except Exception as error:  # `_set_up` failed, or libcurl refused an option
            raise UpstreamFailed("The upstream server could not be asked.") from error


def _failure(error: CurlError) -> PortalError:
    """The sentence for what libcurl could not do; libcurl's own words stay in the log."""
    if error.errno == pycurl.E_OPERATION_TIMEDOUT:
        return UpstreamSlow("The upstream server does not answer.", retry_after=30)
    if error.errno in (pycurl.E_COULDNT_CONNECT, pycurl.E_COULDNT_RESOLVE_HOST):
        return UpstreamFailed("The upstream server cannot be reached.", retry_after=30)
    return UpstreamFailed("The connection to the upstream server broke.", retry_after=30)

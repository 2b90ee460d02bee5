"""The other end of fuzzed requests: sends bytes as they are, and waits for a whole answer."""

import socket

SECONDS = 20  # without a byte: the portal hangs
LEAVES_AFTER = 256 << 10  # bytes of a body, of which a client may have enough


class HangError(Exception):
    """No answer came, or not all of it."""


class Wire:
    """One connection at a time to the portal; a new one where the last was closed."""

    def __init__(self, port):
        self.port = port
        self.socket = None
        self.data = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.data = None, b""

    def broken(self, request):
        """Send what is no request and end; whatever comes back, it comes to an end."""
        self.close()
        self._open()
        answer = b""
        try:
            self.socket.sendall(request)
            self.socket.shutdown(socket.SHUT_WR)
            while piece := self.socket.recv(1 << 16):
                answer = (answer + piece)[:100]
        except TimeoutError:
            raise HangError from None
        except OSError:
            pass  # refused in the middle
        self.close()
        return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0

    def ask(self, method, request):
        """Status, headers (names in lower case); 0 where the connection was closed unanswered."""
        fresh = self.socket is None
        try:
            return self._ask(method, request)
        except TimeoutError:
            raise HangError from None
        except OSError:
            self.close()
            if fresh:
                return 0, {}
        return self.ask(method, request)  # it was kept from before, and closed meanwhile

    def _open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def _ask(self, method, request):
        if self.socket is None:
            self._open()
        refused = None
        try:
            self.socket.sendall(request)
        except (BrokenPipeError, ConnectionResetError) as error:
            refused = error  # maybe with an answer, sent before all was read
        status = 100
        while 100 <= status < 200:
            head = self._until(b"\r\n\r\n")
            if not head:
                raise refused or ConnectionResetError
            first, *lines = head.decode("latin1").split("\r\n")
            status = int(first.split()[1])
        headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        whole = self._body(method, status, headers)
        if refused or not whole or headers.get("connection") == "close":
            self.close()
        return status, headers

    def _body(self, method, status, headers):
        """Read it; False where the connection cannot be used again."""
        if method == "HEAD" or status in (204, 304):
            return True
        if headers.get("transfer-encoding") == "chunked":
            while (size := int(self._until(b"\r\n") or b"x", 16)) or not self._skip(2):
                if not self._skip(size + 2):
                    return False
            return True
        if "content-length" in headers:
            size = int(headers["content-length"])
            return self._skip(min(size, LEAVES_AFTER)) and size <= LEAVES_AFTER
        while self.socket.recv(1 << 16):
            pass
        return False

    def _until(self, end):
        while end not in self.data:
            piece = self.socket.recv(1 << 16)
            if not piece:
                return b""
            self.data += piece
        found, _, self.data = self.data.partition(end)
        return found

    def _skip(self, size):
        while len(self.data) < size:
            piece = self.socket.recv(1 << 18)
            if not piece:
                raise HangError
            size -= len(self.data)
            self.data = piece
        self.data = self.data[size:]
        return True

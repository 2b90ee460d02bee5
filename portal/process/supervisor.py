"""Several processes over one listening socket: forked, watched, restarted, stopped together.

Tornado's fork_processes neither passes a stop on to its children nor goes on after a hundred
restarts; both matter here.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable

from portal.process.systemd import Pulse

log = logging.getLogger("portal.processes")

# Each of these stops; a terminal that is closed sends SIGHUP.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# The exit status of a process that cannot run (sysexits.h): where it is the first of its slot, it
# could not however often it is started.
EX_UNAVAILABLE = 69
# A process that dies sooner than this after its start is started again only after as long.
QUICK_DEATH_SECONDS = 1.0


class Supervisor:
    """Forks `count` children that each run `serve(slot, lifeline)`, and waits for them.

    `serve` returns the child's exit status. `lifeline` is a descriptor that reaches its end when
    this parent is gone, however it went, so that no child outlives it. `stop` is called in this
    parent when it is told to stop: what it closes then is closed for good. A child whose `pulse`
    stops is ended, and started again as any that dies. Must be used before any thread or event
    loop exists.
    """

    def __init__(
        self, count: int, serve: Callable[[int, int], int], stop: Callable[[], None], pulse: Pulse
    ) -> None:
        self._count = count
        self._stop = stop
        self._serve = serve
        self._pulse = pulse
        self._slots: dict[int, tuple[int, float]] = {}
        self._aborted: set[int] = set()
        self._restarted: set[int] = set()
        self._stopping = False
        self._lifeline, self._held_end = os.pipe()

    def run(self) -> int:
        """Serve until stopped; 0 where every child then ended well."""
        for number in SIGNALS:
            signal.signal(number, self._forward)
        for slot in range(self._count):
            self._fork(slot)
        signal.signal(signal.SIGALRM, self._look)
        self._look()
        worst = 0
        while self._slots:
            pid, status = os.wait()
            if pid not in self._slots:
                continue  # PID 1 inherits orphans, and a program may start this with children
            slot, started = self._slots.pop(pid)
            self._aborted.discard(pid)
            code = os.waitstatus_to_exitcode(status)
            # One that cannot run at the start never will; one that has run before may again.
            if code == EX_UNAVAILABLE and slot not in self._restarted and not self._stopping:
                self._forward(signal.SIGTERM, None)
            if self._stopping:
                worst = worst or abs(code)
                continue
            log.error("process %d ended with status %d and is started again", slot, code)
            time.sleep(max(0.0, QUICK_DEATH_SECONDS - (time.monotonic() - started)))
            if not self._stopping:
                self._restarted.add(slot)
                self._fork(slot)
        # Python gives signals back their defaults as it ends, and this one's is to kill.
        signal.setitimer(signal.ITIMER_REAL, 0)
        return worst

    def _look(self, *_: object) -> None:
        """Report, end children that hang, and have the kernel's timer call this again."""
        self._pulse.report()
        late = [] if self._stopping else self._pulse.late()
        for pid, (slot, _started) in list(self._slots.items()):
            if slot in late:
                # The first signal makes the child say where it hangs; the second always ends it.
                number = signal.SIGKILL if pid in self._aborted else signal.SIGABRT
                log.error("process %d hangs and is ended (%s)", slot, number.name)
                self._aborted.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        signal.setitimer(signal.ITIMER_REAL, self._pulse.report_seconds)

    def _fork(self, slot: int) -> None:
        self._pulse.start(slot)
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal between the fork and its note would miss the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if pid:
            self._slots[pid] = slot, time.monotonic()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            return
        status = 1
        try:
            os.close(self._held_end)
            os.setpgid(0, 0)  # a Ctrl-C reaches the parent alone, which passes it on once
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            status = self._serve(slot, self._lifeline)
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
        except BaseException:
            log.exception("process %d failed", slot)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _forward(self, number: int, _frame: object) -> None:
        if not self._stopping:
            self._stopping = True
            self._pulse.stop()
            self._stop()
        for pid in list(self._slots):
            with contextlib.suppress(ProcessLookupError):  # ended, and not yet waited for
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)  # one that is stopped would not hear of it

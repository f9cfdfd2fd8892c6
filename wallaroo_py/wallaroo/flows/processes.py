"""Run a dataflow's workers as processes of this machine: what `-w` and `-p` on a command line do.

The process that was started watches; each worker is a fork of it, made before the application is
imported, and imports that for itself. A signal is passed on to all, so that they drain together.
When the watching process dies, however it does, the kernel ends the workers with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from itertools import combinations
from types import FrameType

from ..engine import load_engine
from .links import Links, new_stop_line

_NOTICE_S_MAX = 2.0  # for the others to see that one has failed, and end by themselves
_END_S_MAX = 10.0  # and to end when they are told to
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass
class Seat:
    """What a worker's process is.

    links: to the others by index; without sockets if they are not made yet.
    """

    index: int
    links: Links
    _speaker: int
    _victims: int

    def may_report(self) -> bool:
        """Return whether this process is the first to report a failure: the others keep quiet."""
        try:
            return bool(os.read(self._speaker, 1))
        except BlockingIOError:
            return False

    def is_victim(self) -> None:
        """Tell the watching process that this one ends only because another one has failed."""
        os.write(self._victims, self.index.to_bytes(4, "little"))

    def ignore_signals(self) -> None:
        """From now on signals are late: the flow has been drained, or has ended."""
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def split(count: int, *, link: bool = True) -> Seat:
    """Go on as `count` processes, each with a seat of its own; never return in the first one.

    link: connect them, which is done otherwise where they have others to work with.
    That one ends as `sys.exit` does, with the status of the worker that failed first, 128 and a
    signal's number for one that was killed by it.
    """
    load_engine()  # if there is none, it is said once
    sys.stdout.flush()
    sys.stderr.flush()
    ends: list[dict[int, socket.socket]] = [{} for _ in range(count)]
    for one, other in combinations(range(count if link else 0), 2):
        ends[one][other], ends[other][one] = socket.socketpair()
    stop_line = new_stop_line() if link else -1
    speaker, token = os.pipe()
    os.write(token, b"1")
    os.close(token)
    os.set_blocking(speaker, False)
    hearing, victims = os.pipe()
    os.set_blocking(hearing, False)
    watcher = os.getpid()
    watch = _Watch(hearing)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)  # until all are there to be told
    for index in range(count):
        pid = os.fork()
        if pid == 0:
            _become_worker(watcher)
            os.close(hearing)
            own = ends[index]
            for links in ends:
                if links is not own:
                    for link in links.values():
                        link.close()
            links_of = [own[i].detach() if i != index else -1 for i in range(count)] if link else []
            return Seat(index, Links(links_of, stop_line), speaker, victims)
        watch.pids[pid] = index
    for links in ends:
        for link in links.values():
            link.close()
    if link:
        os.close(stop_line)
    os.close(speaker)
    os.close(victims)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
    sys.exit(watch.run())


def _become_worker(watcher: int) -> None:
    load_engine().die_with_parent(watcher)
    for number in _STOP_SIGNALS:
        signal.signal(number, _stop_before_the_run)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)


def handled_signals() -> list[int]:
    """Return which of SIGTERM and SIGINT the application has a handler of its own for."""
    others = (None, signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler)
    ours = (*others, _stop_before_the_run)
    handlers = [(number, signal.getsignal(number)) for number in _STOP_SIGNALS]
    return [int(number) for number, handler in handlers if all(handler is not x for x in ours)]


def _stop_before_the_run(number: int, _frame: FrameType | None) -> None:
    for each in _STOP_SIGNALS:  # it may come once more from the watching process
        signal.signal(each, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


class _Watch:
    """The process that was started: passes signals on, and waits for the workers."""

    def __init__(self, hearing: int) -> None:
        self.pids: dict[int, int] = {}  # of those that run -> their index
        self._hearing = hearing
        self._signals = 0
        self._interrupted = False
        self._ending = False  # those that are left are told to end, or killed
        self._failed: list[tuple[int, int]] = []  # index, status
        for number in _STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def run(self) -> int:
        """Return the exit status when all have ended."""
        try:
            while self.pids and not self._failed:
                self._take(*os.waitpid(-1, 0))
            self._end_rest()
        except _SecondSignal as second:
            self._kill_rest()
            return 128 + second.number
        victims = self._heard_victims()
        causes = [status for index, status in self._failed if index not in victims]
        if causes:
            return causes[0]
        if self._interrupted:  # maybe before all were there, so that some have missed others
            print("interrupted: the dataflow was stopped", file=sys.stderr)
            return 0
        if self._failed:
            print("another process of the dataflow has failed or is gone", file=sys.stderr)
        return int(bool(self._failed))

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        self._interrupted = self._interrupted or number == signal.SIGINT
        if self._signals > 1:
            raise _SecondSignal(number)
        self._tell_rest(number)

    def _tell_rest(self, number: int) -> None:
        for pid in list(self.pids):
            with contextlib.suppress(ProcessLookupError):  # it has just been waited for
                os.kill(pid, number)

    def _take(self, pid: int, how: int) -> None:
        index = self.pids.pop(pid, None)
        if index is None:
            return
        status = os.waitstatus_to_exitcode(how)
        if status < 0:
            if not self._ending and not self._signals:
                name = signal.strsignal(-status)
                print(f"worker {index} was killed by signal {-status} ({name})", file=sys.stderr)
            status = 128 - status
        if status != 0:
            self._failed.append((index, status))

    def _end_rest(self) -> None:
        self._await_rest(_NOTICE_S_MAX)
        self._ending = True
        self._tell_rest(signal.SIGTERM)
        self._await_rest(_END_S_MAX)
        self._kill_rest()

    def _await_rest(self, time_s: float) -> None:
        deadline = time.monotonic() + time_s
        while self.pids and time.monotonic() < deadline:
            pid, how = os.waitpid(-1, os.WNOHANG)
            if pid:
                self._take(pid, how)
            else:
                time.sleep(0.01)

    def _kill_rest(self) -> None:
        self._tell_rest(signal.SIGKILL)
        while self.pids:
            self._take(*os.waitpid(-1, 0))

    def _heard_victims(self) -> set[int]:
        told = b""
        with contextlib.suppress(BlockingIOError):  # what a worker has left behind may write still
            while more := os.read(self._hearing, 4096):
                told += more
        return {int.from_bytes(told[at : at + 4], "little") for at in range(0, len(told), 4)}


class _SecondSignal(BaseException):
    def __init__(self, number: int) -> None:
        self.number = number

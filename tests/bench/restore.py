"""How long a restart needs to bring a million states back; part of `resilience.py`."""

import argparse
import re
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from restore_text import unpickling_ms

HERE = Path(__file__).resolve().parent
FRAMES_AT_ONCE = 10_000


def measure_restore(args: argparse.Namespace, show: Callable[[str, float, str], None]) -> None:
    """Fill a store with args.restore_keys keys in one epoch, and start again on it."""
    with tempfile.TemporaryDirectory(dir=args.build, prefix="recovery-") as directory:
        with socket.create_server(("127.0.0.1", 0)) as sink:
            command = [args.build / "machida", "--application-module", "restore_keys"]
            command += ["--in", "127.0.0.1:0", "--out", f"127.0.0.1:{sink.getsockname()[1]}"]
            command += ["--resilience-dir", directory, "--epoch-interval", "3600"]
            run(command, lambda port: send_keys(port, args.restore_keys))
            errors = run(command, lambda port: None)
    found = re.search(r"(\d+) keys restored in (\d+) ms", errors)
    if not found or int(found[1]) != args.restore_keys:
        raise RuntimeError(f"not restored:\n{errors}")
    show("restore_keys", args.restore_keys, "keys of 300 bytes")
    show("restore_ms", float(found[2]), "ms")
    show("restore_pickle_ms", unpickling_ms(args.restore_keys), "ms")


def run(command: list[str | Path], then: Callable[[int], None]) -> str:
    """The server until `then(its port)` has returned, stopped properly; what it logged."""
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=log, text=True)
        assert server.stdout
        port = 0
        for line in server.stdout:
            if found := re.search(r"listening on \S+:(\d+)", line):
                port = int(found[1])
            if "successfully initialized" in line:
                break
        then(port)
        server.terminate()
        status = server.wait(300)
        log.seek(0)
        errors = log.read()
        if status != 0:
            sys.exit(f"the server ended with status {status}:\n{errors}")
        return errors


def send_keys(port: int, keys: int) -> None:
    """One frame for each key."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        for first in range(0, keys, FRAMES_AT_ONCE):
            payloads = [f"key{key}".encode() for key in range(first, first + FRAMES_AT_ONCE)]
            client.sendall(b"".join(struct.pack(">I", len(p)) + p for p in payloads))
        client.shutdown(socket.SHUT_WR)
        client.recv(1)  # the server has read all

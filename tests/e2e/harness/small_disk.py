"""A file system that is full soon."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

DISK_BYTES = 48_000_000


def mounted(directory: Path) -> Iterator[Path]:
    """Makes a file system of DISK_BYTES there, which goes again; skips the test if it can't."""
    directory.mkdir(mode=0o700)
    options = f"size={DISK_BYTES},mode=0700"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)], capture_output=True
    )
    if made.returncode != 0:
        pytest.skip(f"no file system can be mounted: {made.stderr.decode().strip()}")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(directory: Path) -> Path:
    """Takes all the room that is left, to the last byte; returns the file that has it."""
    filler = directory / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"." * size)
            except OSError:
                continue
    return filler

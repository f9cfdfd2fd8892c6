"""READMEs as a reader follows them: their fenced blocks, run as they stand.

The info string of a block says what it is:

sh                commands, one after the other; what they export stays for later blocks
sh later          commands that are given again until the output that is shown next is there
sh terminals      commands, each in a terminal of its own: the next one when it ends or is ready
sh terminal       commands in one terminal, which goes on while the next blocks are run
NAME file=PATH    a file with that text, Python or TOML
python fragment   statements in the middle of an application
toml like=PATH    TOML that says what that example below apps/ says
output            what one of the programs has printed, all of it or, before `...`, its start
output any-order  the same in any order
text              a drawing; nothing to run
"""

import os
import re
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.deadline import DEADLINE_S, wait_until
from harness.server import BINARY

ROOT = Path(__file__).resolve().parents[3]
READMES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("[!.b]*/**/README.md")]
    if ".pytest_cache" not in path.parts
)
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
READY = re.compile(r"^(listening on |Application has successfully initialized)", re.MULTILINE)
REST = "..."
COMMAND_S_MAX = 10 * DEADLINE_S
SHELL = """set -euo pipefail
touch .environment; source ./.environment
{commands}
export -p >.environment
"""


@dataclass(frozen=True)
class Block:
    """One fenced block. place: FILE:LINE. words: of the info string. text: all its lines."""

    place: str
    words: tuple[str, ...]
    text: str

    def commands(self) -> list[str]:
        """Returns the commands of a shell block; a backslash joins lines."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def blocks_of(readme: str) -> list[Block]:
    """Returns the fenced blocks of one of READMES, in order."""
    text = (ROOT / readme).read_text()
    return [
        Block(
            f"{readme}:{text.count(chr(10), 0, found.start()) + 1}",
            tuple(found["info"].split()),
            found["text"],
        )
        for found in FENCE.finditer(text)
    ]


class Program:
    """One command line, as typed into a terminal of its own."""

    def __init__(self, place: str, command: str, shell: str, folder: Path, number: int) -> None:
        self.command = f"{place}: {command.strip()}"
        self._out = folder / f".out{number}"
        self._err = folder / f".err{number}"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                ["bash", "-c", shell],
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def stdout(self) -> str:
        """What it has printed so far."""
        return self._out.read_text()

    def __str__(self) -> str:
        status = self._process.poll()
        state = "still running" if status is None else f"status {status}"
        return f"$ {self.command}\n{self.stdout}{self._err.read_text()}[{state}]"

    def wait_ended(self) -> None:
        """Returns when it has ended."""
        wait_until(lambda: self._process.poll() is not None, lambda: str(self), COMMAND_S_MAX)

    def wait(self) -> None:
        """Returns when it has ended with status 0."""
        self.wait_ended()
        assert self._process.returncode == 0, str(self)

    def wait_ended_or_ready(self) -> None:
        """Returns when it has ended with status 0, or has said that it waits for others."""

        def done() -> bool:
            said = self.stdout + self._err.read_text()
            return self._process.poll() is not None or READY.search(said) is not None

        wait_until(done, lambda: str(self), COMMAND_S_MAX)
        assert self._process.poll() in (None, 0), str(self)

    def stop(self) -> None:
        """Ends it and what it has started, as Ctrl-C does, and checks that it can be ended so."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self.wait_ended()
            assert self._process.returncode in (0, -signal.SIGTERM), str(self)

    def kill(self) -> None:
        """Makes sure that nothing of it is left."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Reader:
    """Somebody who follows a README from top to bottom, in a folder that looks like the tree.

    folder: empty; the paths below /tmp that a README names are in it. words: what to write in place
    of what the README says. left_out: commands that are passed over.
    """

    def __init__(self, folder: Path, words: Mapping[str, str], left_out: set[str]) -> None:
        self.folder = folder
        self.words = {"/tmp/": f"{folder}/tmp/", **words}
        self.left_out = left_out
        self.programs: list[Program] = []
        self._again: Block | None = None
        (folder / "tmp").mkdir()
        (folder / "build").mkdir()
        for name in ("apps", "scripts", "wallaroo_py"):
            (folder / name).symlink_to(ROOT / name)
        for built in [Path(BINARY), *(ROOT / "build").glob("_machida*.so")]:
            (folder / "build" / built.name).symlink_to(built.resolve())

    def follow(self, block: Block) -> None:
        """Does what a block says. Raises AssertionError when it does not go as the README says."""
        match block.words:
            case ["sh"]:
                self._start_shell(block).wait()
            case ["sh", "later"]:
                self._again = block
            case ["sh", "terminals"]:
                for command in self._commands(block):
                    self._start_terminal(block, command).wait_ended_or_ready()
            case ["sh", "terminal"]:
                self._start_terminal(block, "\n".join(self._commands(block)))
            case [_, option] if option.startswith("file="):
                (self.folder / option.removeprefix("file=")).write_text(self._put_in(block.text))
            case ["toml", option] if option.startswith("like="):
                example = ROOT / "apps" / option.removeprefix("like=")
                assert tomllib.loads(block.text) == tomllib.loads(example.read_text()), block.place
            case ["python", "fragment"]:
                run_fragment(block)
            case ["output", *how]:
                self._check_output(block, any_order=how == ["any-order"])
            case ["text"]:
                pass
            case _:
                raise AssertionError(f"{block.place}: nobody knows what to do with {block.words}")

    def close(self) -> None:
        """Ends everything, a server before the receiver that it writes to."""
        try:
            for program in reversed(self.programs):
                program.stop()
        finally:
            for program in self.programs:
                program.kill()

    def _start_shell(self, block: Block) -> Program:
        commands = "\n".join(self._commands(block))
        return self._start(block, commands, SHELL.format(commands=commands))

    def _start_terminal(self, block: Block, command: str) -> Program:
        shell = f"touch .environment; source ./.environment\n{command}"
        return self._start(block, command, shell)

    def _start(self, block: Block, command: str, shell: str) -> Program:
        number = len(self.programs)
        self.programs.append(Program(block.place, command, shell, self.folder, number))
        return self.programs[-1]

    def _commands(self, block: Block) -> list[str]:
        kept = [c for c in block.commands() if c.partition("#")[0].strip() not in self.left_out]
        return [self._put_in(command) for command in kept]

    def _put_in(self, text: str) -> str:
        pattern = "|".join(map(re.escape, sorted(self.words, key=len, reverse=True)))
        return re.sub(pattern, lambda found: self.words[found[0]], text)

    def _check_output(self, block: Block, *, any_order: bool) -> None:
        shown = block.text.splitlines()
        is_open = shown[-1] == REST
        if is_open:
            shown.pop()

        def fits(lines: list[str]) -> bool:
            start = lines[: len(shown)] if is_open and not any_order else lines
            if any_order:
                return Counter(shown) <= Counter(lines) and (is_open or len(lines) == len(shown))
            return start == shown

        def is_there() -> bool:
            if self._again:
                self._start_shell(self._again).wait_ended()
            return any(fits(program.stdout.splitlines()) for program in self.programs)

        wait_until(
            is_there,
            lambda: (
                f"the output at {block.place}; there is:\n" + "\n".join(map(str, self.programs))
            ),
        )
        self._again = None


def run_fragment(block: Block) -> None:
    """Runs the middle of an application, with `decode` and `encode`, and builds it."""
    before = (
        "import wallaroo\n"
        "decode = wallaroo.decoder(lambda payload: payload)\n"
        "encode = wallaroo.encoder(lambda text: text)\n"
        "ab = wallaroo.ApplicationBuilder('fragment')\n"
    )
    code = f"{before}{block.text}ab.build()\n"
    environment = {**_environment(), "PYTHONPATH": str(ROOT / "wallaroo_py")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
    assert done.returncode == 0, f"{block.place}:\n{done.stderr.decode()}"


def _environment() -> dict[str, str]:
    """The reader's: nothing of the tests' but the python3 that comes first."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), kept.get("PATH", os.defpath)])
    return {**kept, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

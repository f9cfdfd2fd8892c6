"""The command line: what is the server's, what is the application's, and how each ends."""

import ast
import re
import socket
import subprocess
from pathlib import Path

import pytest
from harness import (
    BINARY,
    DEADLINE_S,
    Client,
    NewReceiver,
    Receiver,
    Serve,
    Server,
    Start,
    one_pipeline,
    wait_until,
)

SHOW_ARGS = one_pipeline('print("ARGS", args)\nprint("ARGV", sys.argv)')


def printed(server: Server, label: str) -> list[str]:
    """Returns the list that the application printed behind the label."""
    (line,) = [x for x in server.stdout.splitlines() if x.startswith(label + " ")]
    return list(ast.literal_eval(line.removeprefix(label + " ")))


def test_help_names_every_option(start: Start) -> None:
    server = start("--help")
    assert server.wait() == 0
    for option in (
        "--application-module --version --check --max-frame-bytes --dead-letters --on-error "
        "--unknown-keys --drain-timeout --log-level --venv --metrics --name --resilience-dir "
        "--epoch-interval --time-between-checkpoints --journal-bytes --recover-damaged "
        "--config --sink-retries"
    ).split():
        assert option in server.stdout, option
    assert start("-h").wait() == 0


def test_version(start: Start) -> None:
    server = start("--version")
    assert server.wait() == 0
    assert re.search(r"\d+\.\d+", server.stdout)


def test_missing_application_module_is_a_mistake(start: Start) -> None:
    server = start("--in", "127.0.0.1:0")
    assert server.wait() == 2
    assert "--application-module" in server.stderr


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--max-frame-bytes", "many"], "--max-frame-bytes"),
        (["--max-frame-bytes", "0"], "--max-frame-bytes"),
        (["--max-frame-bytes=-5"], "--max-frame-bytes"),
        (["--on-error", "shrug"], "--on-error"),
        (["--unknown-keys=keep"], "--unknown-keys"),
        (["--drain-timeout", "soon"], "--drain-timeout"),
        (["--log-level", "loud"], "--log-level"),
        (["--worker-count", "0"], "--worker-count"),
        (["--workers", "65"], "--workers"),
        (["--venv", "no-such-venv"], "no-such-venv"),
    ],
)
def test_wrong_option_value_is_a_mistake_that_names_it(
    serve: Serve, options: list[str], named: str
) -> None:
    server = serve(one_pipeline(), *options, ready=False)
    assert server.wait() == 2
    assert named in server.stderr
    assert "listening on" not in server.stdout


def test_args_hold_the_program_and_what_the_server_does_not_know_in_order(
    start: Start, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(SHOW_ARGS)
    theirs = ["--in", "127.0.0.1:0", "--delay_ms", "5", "--topology=a,b", "-z", "word", "--flag"]
    server = start(
        *theirs[:3],
        *("--ponythreads", "1", "--max-frame-bytes", "1_000"),
        *theirs[3:5],
        *("--application-module=app", "--name=n"),
        *theirs[5:],
        *("--out", receiver.address, "--log-level=info", "--ponynoblock"),
    ).ready()
    args = printed(server, "ARGS")
    assert args[0].endswith("machida")
    assert args[1:] == [*theirs, "--out", receiver.address]
    assert printed(server, "ARGV")[0]


def test_options_spelled_with_equals_sign(serve: Serve, receiver: Receiver) -> None:
    server = serve(
        SHOW_ARGS, "--max-frame-bytes=2_000", "--unknown-keys=create", "--opt=v", "-m=127.0.0.1:1"
    )
    assert "--opt=v" in printed(server, "ARGS")
    assert not [x for x in printed(server, "ARGS") if "127.0.0.1:1" == x or "-m" in x]


def test_words_after_a_double_dash_are_the_applications(serve: Serve) -> None:
    server = serve(SHOW_ARGS, "--", "--name", "mine")
    assert printed(server, "ARGS")[-2:] == ["--name", "mine"]


def test_input_without_a_host_listens_on_all_addresses(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(), inputs=":0")
    host, port = server.address()
    assert host == "0.0.0.0"
    with Client(("127.0.0.1", port)) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]


def test_of_an_option_that_is_given_twice_the_last_one_counts(
    serve: Serve, receiver: Receiver
) -> None:
    metrics = ("--metrics", "127.0.0.1:1", "--metrics", "127.0.0.1:2", "-m=127.0.0.1:3")
    server = serve(one_pipeline(), *metrics)
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]


def test_listening_line_names_the_chosen_port(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    host, port = server.address()
    assert host == "127.0.0.1" and port != 0
    lines = server.stdout.splitlines()
    assert lines.index(f'listening on {host}:{port} (pipeline "main")') < lines.index(
        "Application has successfully initialized."
    )
    with Client((host, port)) as client:
        client.send_frames("a")
        receiver.wait_lines(1)


def test_log_goes_to_stderr_and_prints_go_to_stdout(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline('print("from setup")'), "--log-level", "debug")
    assert server.terminate() == 0
    assert "from setup" in server.stdout
    assert "from setup" not in server.stderr
    assert all(
        line.startswith(("listening on", "Application has", "from setup"))
        for line in server.stdout.splitlines()
    )


def test_log_level_error_is_quiet(serve: Serve) -> None:
    server = serve(one_pipeline(), "--log-level", "error")
    assert server.terminate() == 0
    assert server.stderr == ""


def test_prints_appear_at_once(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.computation(name="say")
    def say(data):
        print(data, end="")
        print("oops", end="", file=sys.stderr)
        return data
    """
    server = serve(one_pipeline("ab.to(say)", defs))
    with Client(server.address()) as client:
        client.send_frames("no newline")
        server.wait_stdout("no newline")
        server.wait_stderr("oops")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_port_in_use_is_one_message_that_names_the_address_though_the_sink_is_away(
    serve: Serve, receiver: Receiver, new_receiver: NewReceiver, workers: str
) -> None:
    taken = new_receiver().address
    receiver.stop()
    server = serve(one_pipeline(), "--workers", workers, inputs=taken, ready=False)
    assert server.wait() == 1
    assert len(server.log_lines(taken)) == 1
    assert "in use" in server.stderr
    assert "successfully" not in server.stdout


def test_host_that_does_not_exist_is_one_message(serve: Serve) -> None:
    server = serve(one_pipeline(), inputs="host.invalid:7010", ready=False)
    assert server.wait() == 1
    assert len(server.log_lines("host.invalid")) == 1


def test_address_of_another_machine_is_one_message(serve: Serve) -> None:
    server = serve(one_pipeline(), inputs="192.0.2.1:7010", ready=False)
    assert server.wait() == 1
    assert len(server.log_lines("192.0.2.1:7010")) == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_standard_files_may_be_closed(
    receiver: Receiver, tmp_path: Path, closed: str, workers: str
) -> None:
    (tmp_path / "app.py").write_text(one_pipeline("print(sys.stdout, file=sys.stderr)"))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    arguments = ["--application-module", "app", "--in", f"127.0.0.1:{port}"]
    arguments += ["--out", receiver.address, "--workers", workers]
    process = subprocess.Popen(
        ["sh", "-c", f'exec "$@" {closed}', "sh", BINARY, *arguments],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def listens() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(listens, "a server that listens")
        with Client(("127.0.0.1", port)) as client:
            client.send_frames("a", "b")
            assert receiver.wait_lines(2) == ["a", "b"]
        process.terminate()
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()

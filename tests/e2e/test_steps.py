"""The steps of a pipeline do what the API promises."""

from harness import PRELUDE, Client, NewReceiver, Receiver, Serve, one_pipeline

INPUTS = "127.0.0.1:0,127.0.0.1:0"


def test_none_filters_a_record(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.computation(name="odd")
    def odd(data):
        return data if int(data) % 2 else None
    """
    server = serve(one_pipeline("ab.to(odd)", defs))
    with Client(server.address()) as client:
        client.send_frames(*map(str, range(10)))
        assert receiver.wait_lines(5) == ["1", "3", "5", "7", "9"]


def test_false_and_empty_results_are_not_filtered(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.computation(name="falsy")
    def falsy(data):
        return {"zero": 0, "false": False, "empty": "", "list": []}[data]
    """
    server = serve(one_pipeline("ab.to(falsy)", defs))
    with Client(server.address()) as client:
        client.send_frames("zero", "false", "empty", "list")
        assert receiver.wait_lines(4) == ["0", "False", "", "[]"]


def test_decoder_that_returns_none_drops_the_record(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.decoder(header_length=4, length_fmt=">I")
    def choosy(payload):
        return None if payload == b"no" else payload.decode()
    """
    server = serve(one_pipeline(defs=defs, decoder="choosy"))
    with Client(server.address()) as client:
        client.send_frames("a", "no", "b")
        assert receiver.wait_lines(2) == ["a", "b"]


def test_multi_outputs_arrive_one_by_one(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.computation_multi(name="split")
    def split(data):
        return data.split() if data != "none" else None
    @wallaroo.computation(name="mark")
    def mark(data):
        return f"<{data}>"
    """
    server = serve(one_pipeline("ab.to(split)\nab.to(mark)", defs))
    with Client(server.address()) as client:
        client.send_frames("a b c", "", "none", "d")
        assert receiver.wait_lines(4) == ["<a>", "<b>", "<c>", "<d>"]


def test_none_items_of_multi_outputs_are_filtered(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.computation_multi(name="holes")
    def holes(data):
        return [data, None, data * 2]
    """
    server = serve(one_pipeline("ab.to(holes)", defs))
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(2) == ["a", "aa"]


def test_parallel_steps_run(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.computation(name="upper")
    def upper(data):
        return data.upper()
    """
    server = serve(one_pipeline("ab.to_parallel(upper)", defs))
    with Client(server.address()) as client:
        client.send_frames("a", "b")
        assert receiver.wait_lines(2) == ["A", "B"]


def test_stateful_step_has_one_shared_state(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    class Total:
        def __init__(self):
            self.value = 0
    @wallaroo.state_computation(name="add")
    def add(data, state):
        state.value += int(data)
        return state.value, data != "0"
    """
    server = serve(one_pipeline('ab.to_stateful(add, Total, "total")', defs))
    with Client(server.address()) as one, Client(server.address()) as two:
        one.send_frames("1", "2", "0")
        assert receiver.wait_lines(3) == ["1", "3", "3"]
        two.send_frames("10")
        assert receiver.wait_lines(4)[3] == "13"


def test_state_computation_multi_sends_each_output(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.state_computation_multi(name="history")
    def history(data, seen):
        seen.append(data)
        return (list(seen), True) if data != "quiet" else (None, True)
    """
    server = serve(one_pipeline('ab.to_stateful(history, list, "seen")', defs))
    with Client(server.address()) as client:
        client.send_frames("a", "quiet", "b")
        assert receiver.wait_lines(4) == ["a", "a", "quiet", "b"]


def test_none_output_of_a_state_computation_filters_but_keeps_the_state(
    serve: Serve, receiver: Receiver
) -> None:
    defs = """\
    @wallaroo.state_computation(name="every second")
    def every_second(data, seen):
        seen.append(data)
        return (None, True) if len(seen) % 2 else ("".join(seen), False)
    """
    server = serve(one_pipeline('ab.to_stateful(every_second, list, "seen")', defs))
    with Client(server.address()) as client:
        client.send_frames("a", "b", "c", "d")
        assert receiver.wait_lines(2) == ["ab", "abcd"]


def test_state_is_shared_by_name_across_pipelines(serve: Serve, receiver: Receiver) -> None:
    text = (
        PRELUDE
        + """
@wallaroo.partition
def first_letter(data):
    return data[:1]

@wallaroo.state_computation(name="learn")
def learn(data, seen):
    seen.append(data)
    return None, True

@wallaroo.state_computation(name="tell")
def tell(data, seen):
    return f"{data}: {seen}", False

def application_setup(args):
    keys = ["a", "b"]
    return (
        wallaroo.ApplicationBuilder("two")
        .new_pipeline("learn", source(args, 0))
        .to_state_partition(learn, list, "seen", first_letter, keys)
        .done()
        .new_pipeline("tell", source(args, 1))
        .to_state_partition(tell, list, "seen", first_letter, keys)
        .to_sink(sink(args))
        .build()
    )
"""
    )
    server = serve(text, inputs=INPUTS)
    with Client(server.address("learn")) as learn, Client(server.address("tell")) as tell:
        tell.send_frames("a")
        assert receiver.wait_lines(1) == ["a: []"]
        learn.send_frames("ax", "bx", "ay")
        learn.finish()
        learn.wait_closed()
        tell.send_frames("a", "b")
        assert receiver.wait_lines(3)[1:] == ["a: ['ax', 'ay']", "b: ['bx']"]


def test_different_state_names_keep_states_apart(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.state_computation(name="first")
    def first(data, seen):
        seen.append(data)
        return len(seen), True
    @wallaroo.state_computation(name="second")
    def second(data, seen):
        seen.append(data)
        return f"{data} {len(seen)}", True
    """
    steps = 'ab.to_stateful(first, list, "one")\nab.to_stateful(second, list, "two")'
    server = serve(one_pipeline(steps, defs))
    with Client(server.address()) as client:
        client.send_frames("a", "b")
        assert receiver.wait_lines(2) == ["1 1", "2 2"]


def test_to_sinks_sends_the_same_to_all(serve: Serve, new_receiver: NewReceiver) -> None:
    text = (
        PRELUDE
        + """
@wallaroo.encoder
def shout(data):
    return data.upper().encode() + b"\\n"

def application_setup(args):
    ab = wallaroo.ApplicationBuilder("fan")
    ab.new_pipeline("main", source(args))
    ab.to_sinks([sink(args, 0), sink(args, 1, shout), sink(args, 2)])
    return ab.build()
"""
    )
    receivers = [new_receiver() for _ in range(3)]
    server = serve(text, out=",".join(r.address for r in receivers))
    words = [f"word{i}" for i in range(1000)]
    with Client(server.address()) as client:
        client.send_frames(*words)
        assert receivers[0].wait_lines(1000) == words
        assert receivers[1].wait_lines(1000) == [word.upper() for word in words]
        assert receivers[2].wait_lines(1000) == words


def test_pipelines_run_side_by_side(serve: Serve, new_receiver: NewReceiver) -> None:
    text = (
        PRELUDE
        + """
@wallaroo.computation(name="upper")
def upper(data):
    return data.upper()

def application_setup(args):
    ab = wallaroo.ApplicationBuilder("pair")
    ab.new_pipeline("plain", source(args, 0)).to_sink(sink(args, 0)).done()
    ab.new_pipeline("loud", source(args, 1)).to(upper).to_sink(sink(args, 1))
    return ab.build()
"""
    )
    plain, loud = new_receiver(), new_receiver()
    server = serve(text, inputs=INPUTS, out=f"{plain.address},{loud.address}")
    assert set(server.addresses) == {"plain", "loud"}
    with Client(server.address("plain")) as one, Client(server.address("loud")) as two:
        one.send_frames("a")
        two.send_frames("b")
        assert plain.wait_lines(1) == ["a"]
        assert loud.wait_lines(1) == ["B"]


def test_encoder_may_return_bytes_str_and_none(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.encoder
    def mixed(data):
        return {"b": b"\\x00\\xff\\n", "s": "gr\\u00fc\\u00df\\n", "n": None, "e": b""}[data]
    """
    server = serve(one_pipeline(defs=defs, encoder="mixed"))
    with Client(server.address()) as client:
        client.send_frames("n", "b", "e", "s", "n", "b")
        expected = b"\x00\xff\n" + "grüß\n".encode() + b"\x00\xff\n"
        assert receiver.wait_bytes(len(expected)) == expected


def test_records_of_many_steps_keep_their_order(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.computation_multi(name="twice")
    def twice(data):
        return [data, data]
    @wallaroo.partition
    def last_digit(data):
        return data[-1]
    @wallaroo.state_computation(name="stamp")
    def stamp(data, seen):
        seen.append(1)
        return data, True
    """
    steps = 'ab.to(twice)\nab.to_state_partition(stamp, list, "seen", last_digit)'
    server = serve(one_pipeline(steps, defs))
    numbers = [str(i) for i in range(5000)]
    with Client(server.address()) as client:
        client.send_frames(*numbers)
        lines = receiver.wait_lines(10000)
    assert lines == [number for number in numbers for _ in range(2)]

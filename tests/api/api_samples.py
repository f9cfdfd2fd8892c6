"""Parts of applications that several tests put together, importable so that they pickle."""

import wallaroo


@wallaroo.decoder
def decode(payload):
    return payload.decode()


@wallaroo.message_decoder
def decode_message(value, message):
    return message.key, value


@wallaroo.encoder
def encode(data):
    return f"{data}\n".encode()


@wallaroo.computation(name="Reverse")
def reverse(text):
    """Turn the text round."""
    return text[::-1]


@wallaroo.computation_multi(name="Split")
def split(text):
    return text.split()


@wallaroo.partition
def first_letter(text):
    return text[:1]


class Counts:
    """How often each text was seen."""

    def __init__(self):
        self.counts = {}


@wallaroo.state_computation(name="Count")
def count(text, state):
    state.counts[text] = state.counts.get(text, 0) + 1
    return f"{text} {state.counts[text]}", True


@wallaroo.state_computation_multi(name="Count twice")
def count_twice(text, state):
    output, _ = count(text, state)
    return [output, output], True


class Shelf:
    """A class whose members are decorated functions."""

    @staticmethod
    @wallaroo.computation(name="Shelved")
    def shelved(text):
        return text


double = wallaroo.computation(name="Double")(lambda text: text * 2)

SOURCE = ("tcp", "127.0.0.1", "0", decode)
SINK = ("tcp", "127.0.0.1", "7002", encode)


def builder(name="app"):
    """Return a builder with one open pipeline, "main"."""
    return wallaroo.ApplicationBuilder(name).new_pipeline("main", SOURCE)


def application_setup(args):
    in_host, in_port = wallaroo.tcp_parse_input_addrs(args)[0]
    out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]
    ab = wallaroo.ApplicationBuilder("Sample")
    ab.new_pipeline("main", wallaroo.TCPSourceConfig(in_host, in_port, decode))
    ab.to(reverse)
    ab.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, encode))
    return ab.build()

"""Reject orders for shares whose market is too uncertain: two pipelines that share one state.

    quote in  ->  [one state per symbol] remember it                       (no output)
    order in  ->  [the same states] compare with the newest quote  ->  rejected orders out

Messages are text in the manner of FIX, `tag=value` fields with `|` between them:

    quote      35=S|55=SYMBOL|132=BID|133=OFFER
    order      35=D|11=ORDER_ID|55=SYMBOL|54=SIDE|38=QUANTITY|44=PRICE
    rejection  35=8|11=ORDER_ID|55=SYMBOL|39=8|58=REASON
"""

from pathlib import Path
from typing import NamedTuple

import wallaroo

SYMBOLS_FILE = Path(__file__).parent / "symbols.txt"
SPREAD_MAX = 0.05
"""The widest gap between bid and offer that is still traded, as a part of their middle."""


class Quote(NamedTuple):
    """What the market pays (`bid`) and asks (`offer`) for one share."""

    symbol: str
    bid: float
    offer: float


class Order(NamedTuple):
    """A customer's wish to trade. `side` is "1" to buy and "2" to sell."""

    order_id: str
    symbol: str
    side: str
    quantity: int
    price: float


class Rejection(NamedTuple):
    """An order that is turned down, and why."""

    order_id: str
    symbol: str
    reason: str


class Market:
    """The newest quote of one symbol; None before the first."""

    def __init__(self) -> None:
        self.quote: Quote | None = None


def parse_fields(payload: bytes) -> dict[str, str]:
    """`b"35=S|55=ACME"` to `{"35": "S", "55": "ACME"}`. ValueError where a field has no `=`."""
    return dict(field.split("=", 1) for field in payload.decode().split("|"))


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode_quote(payload: bytes) -> Quote:
    """A quote message. KeyError if a field is missing."""
    fields = parse_fields(payload)
    return Quote(fields["55"], float(fields["132"]), float(fields["133"]))


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode_order(payload: bytes) -> Order:
    """An order message. KeyError if a field is missing."""
    fields = parse_fields(payload)
    return Order(fields["11"], fields["55"], fields["54"], int(fields["38"]), float(fields["44"]))


@wallaroo.partition
def by_symbol(message: Quote | Order) -> str:
    """Quotes and orders of a symbol meet in the state of that symbol."""
    return message.symbol


@wallaroo.state_computation(name="update market")
def update_market(quote: Quote, market: Market) -> tuple[None, bool]:
    """Remember the quote. No output: None."""
    market.quote = quote
    return None, True


@wallaroo.state_computation(name="check order")
def check_order(order: Order, market: Market) -> tuple[Rejection | None, bool]:
    """A rejection, or None when the order may pass. False: looking does not change the state."""
    if market.quote is None:
        return Rejection(order.order_id, order.symbol, "no quote yet"), False
    _, bid, offer = market.quote
    spread = (offer - bid) / ((offer + bid) / 2)
    if spread > SPREAD_MAX:
        return Rejection(order.order_id, order.symbol, f"spread is {spread:.1%}"), False
    return None, False


@wallaroo.encoder
def encode_rejection(rejection: Rejection) -> bytes:
    """One line."""
    order_id, symbol, reason = rejection
    return f"35=8|11={order_id}|55={symbol}|39=8|58={reason}\n".encode()


def application_setup(args: list[str]) -> list[tuple]:
    """The first address of `--in` takes quotes, the second takes orders."""
    quotes_address, orders_address = wallaroo.tcp_parse_input_addrs(args)[:2]
    out_address = wallaroo.tcp_parse_output_addrs(args)[0]
    symbols = SYMBOLS_FILE.read_text().split()

    builder = wallaroo.ApplicationBuilder("Market spread")
    builder.new_pipeline("quotes", wallaroo.TCPSourceConfig(*quotes_address, decode_quote))
    builder.to_state_partition(update_market, Market, "markets", by_symbol, symbols)
    builder.done()
    builder.new_pipeline("orders", wallaroo.TCPSourceConfig(*orders_address, decode_order))
    builder.to_state_partition(check_order, Market, "markets", by_symbol, symbols)
    builder.to_sink(wallaroo.TCPSinkConfig(*out_address, encode_rejection))
    return builder.build()

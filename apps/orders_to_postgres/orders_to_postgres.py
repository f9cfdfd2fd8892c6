"""Store orders in PostgreSQL, and what each customer has spent so far.

    order in  ->  parse  ->  [one state per customer] add up  ->  a row for the order, and one for
                                                                  the customer
    router: orders are inserted into `orders`, customers replace their row in `customers`

A message is one order as text: `ID,CUSTOMER,ITEM,QUANTITY,PRICE`, a price in cents.
"""

from dataclasses import dataclass

import wallaroo


@dataclass(frozen=True)
class Order:
    """One order, a row of `orders`. Prices in cents."""

    id: int
    customer: str
    item: str
    quantity: int
    price: int


@dataclass(frozen=True)
class Customer:
    """What a customer has ordered so far, a row of `customers`. Spent in cents."""

    name: str
    orders: int
    spent: int


class Account:
    """The state of one customer."""

    def __init__(self) -> None:
        self.orders = 0
        self.spent = 0

    def add(self, order: Order) -> None:
        """Add up one order."""
        self.orders += 1
        self.spent += order.quantity * order.price


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode(payload: bytes) -> Order:
    """`b"7,ann,tea,2,350"` to an order. ValueError for anything else: a dead letter."""
    number, customer, item, quantity, price = payload.decode().split(",")
    return Order(int(number), customer, item, int(quantity), int(price))


@wallaroo.partition
def by_customer(order: Order) -> str:
    """Each customer has a state of its own."""
    return order.customer


@wallaroo.state_computation_multi(name="add up")
def add_up(order: Order, account: Account) -> tuple[list[Order | Customer], bool]:
    """Pass the order on, with the customer's new sums behind it."""
    account.add(order)
    return [order, Customer(order.customer, account.orders, account.spent)], True


def is_order(row: Order | Customer) -> bool:
    """Tell what goes into `orders`; the rest goes into `customers`."""
    return isinstance(row, Order)


def application_setup(args: list[str]) -> list[tuple[object, ...]]:
    """Build the application. The database is in the configuration, `streaming.sinks`."""
    host, port = wallaroo.tcp_parse_input_addrs(args)[0]
    ab = wallaroo.ApplicationBuilder("Orders to PostgreSQL")
    ab.new_pipeline("orders", wallaroo.TCPSourceConfig(host, port, decode))
    ab.to_state_partition(add_up, Account, "accounts", by_customer)
    ab.to_router(
        {"orders": (is_order, wallaroo.IntoTable(Order, "orders", key=["id"], name="orders"))},
        default=wallaroo.IntoTable(
            Customer, "customers", key=["name"], mode="upsert", name="customers"
        ),
    )
    return ab.build()

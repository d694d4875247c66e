"""Orders of a coffee roastery: one connection for each request, one transaction for each change."""

import logging
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import httpx
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Path, Query, Request, Response
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, ConfigDict, Field

log = logging.getLogger(__name__)

BIGGEST_ID = 2**63 - 1  # of a bigint
MAIL_SECONDS = 10

# -- models ------------------------------------------------------------------------------------


class Strict(BaseModel):
    """Takes what the document says and nothing else: "3" is no integer, unknown fields are none."""

    model_config = ConfigDict(strict=True, extra="forbid")


# PostgreSQL stores every character but NUL.
Customer = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]
Sku = Annotated[str, Field(pattern=r"^[A-Z0-9-]{1,20}$")]
OrderId = Annotated[int, Path(ge=1, le=BIGGEST_ID)]


class NewLine(Strict):
    sku: Sku
    quantity: int = Field(ge=1, le=1000)


class NewOrder(Strict):
    customer: Customer
    lines: list[NewLine] = Field(min_length=1, max_length=20)


class Line(Strict):
    sku: str
    quantity: int
    price_cents: int


class Order(Strict):
    id: int
    customer: str
    status: Literal["placed", "cancelled"]
    total_cents: int
    lines: list[Line]


class Page(Strict):
    orders: list[Order]
    next: str | None


class Problem(BaseModel):
    detail: str


def refusals(**reasons: str) -> dict[int | str, dict[str, Any]]:
    """For the document: `s404="no such order"`."""
    return {
        int(name[1:]): {"model": Problem, "description": reason} for name, reason in reasons.items()
    }


# -- dependencies ------------------------------------------------------------------------------


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    pool = AsyncConnectionPool(
        os.environ["DATABASE_URL"],
        min_size=1,
        max_size=int(os.environ["POOL_SIZE"]),
        kwargs={"row_factory": dict_row},
        open=False,
    )
    async with pool, httpx.AsyncClient(timeout=MAIL_SECONDS) as http:
        app.state.pool, app.state.http = pool, http
        yield


async def transaction(request: Request) -> AsyncIterator[AsyncConnection[dict[str, Any]]]:
    """A connection: committed when the function is done, rolled back when it raises."""
    async with request.app.state.pool.connection() as connection:
        yield connection


# `function`: the end of the transaction comes before the answer and before the background work.
Db = Annotated[AsyncConnection[dict[str, Any]], Depends(transaction, scope="function")]

# -- database ----------------------------------------------------------------------------------

SELECT = """
SELECT id, customer, status, total_cents, (
    SELECT json_agg(json_build_object(
        'sku', sku, 'quantity', quantity, 'price_cents', price_cents) ORDER BY sku)
    FROM order_lines WHERE order_id = id
) AS lines FROM orders
"""


async def find(db: AsyncConnection[dict[str, Any]], order_id: int) -> dict[str, Any]:
    row = await (await db.execute(SELECT + "WHERE id = %s", (order_id,))).fetchone()
    if row is None:
        raise HTTPException(404, "there is no such order")
    return row


async def take_from_stock(
    db: AsyncConnection[dict[str, Any]], wanted: Counter[str]
) -> dict[str, int]:
    """The prices. The rows are locked in one order, so that nobody waits for each other."""
    lock = (
        "SELECT sku, price_cents, stock FROM products WHERE sku = ANY(%s) ORDER BY sku FOR UPDATE"
    )
    found = await (await db.execute(lock, (list(wanted),))).fetchall()
    missing = wanted.keys() - {row["sku"] for row in found}
    if missing:
        raise HTTPException(404, f"there is no product {', '.join(sorted(missing))}")
    short = [row["sku"] for row in found if row["stock"] < wanted[row["sku"]]]
    if short:
        raise HTTPException(409, f"there is not enough of {', '.join(short)}")
    await change_stock(db, {sku: -quantity for sku, quantity in wanted.items()})
    return {row["sku"]: row["price_cents"] for row in found}


async def change_stock(db: AsyncConnection[dict[str, Any]], changes: dict[str, int]) -> None:
    update = """
    UPDATE products SET stock = stock + change
    FROM unnest(%s::text[], %s::int[]) AS changes (sku, change) WHERE products.sku = changes.sku
    """
    await db.execute(update, (list(changes), list(changes.values())))


# -- the service -------------------------------------------------------------------------------

app = FastAPI(title="Orders", lifespan=lifespan)


@app.post(
    "/orders",
    status_code=201,
    responses=refusals(s404="a product does not exist", s409="there is not enough of a product"),
)
async def place_order(
    new: NewOrder, db: Db, request: Request, response: Response, background: BackgroundTasks
) -> Order:
    wanted: Counter[str] = Counter()
    for line in new.lines:
        wanted[line.sku] += line.quantity
    prices = await take_from_stock(db, wanted)
    total = sum(prices[sku] * quantity for sku, quantity in wanted.items())
    insert = "INSERT INTO orders (customer, total_cents) VALUES (%s, %s) RETURNING id"
    row = await (await db.execute(insert, (new.customer, total))).fetchone()
    assert row is not None
    insert = """
    INSERT INTO order_lines (order_id, sku, quantity, price_cents)
    SELECT %s, * FROM unnest(%s::text[], %s::int[], %s::int[])
    """
    columns = list(wanted), list(wanted.values()), [prices[sku] for sku in wanted]
    await db.execute(insert, (row["id"], *columns))
    order = Order.model_validate(await find(db, row["id"]))
    response.headers["Location"] = f"/orders/{order.id}"
    background.add_task(confirm, request.app.state.http, order)
    return order


async def confirm(http: httpx.AsyncClient, order: Order) -> None:
    mail = order.model_dump(include={"customer", "total_cents"}) | {"order": order.id}
    try:
        answer = await http.post(os.environ["MAIL_URL"], json=mail)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        log.warning("order %d is not confirmed: %r", order.id, error)


@app.get("/orders/{order_id}", responses=refusals(s404="there is no such order"))
async def get_order(order_id: OrderId, db: Db) -> Order:
    return Order.model_validate(await find(db, order_id))


@app.get("/orders")
async def list_orders(
    db: Db,
    customer: Annotated[Customer, Query()],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[int, Query(ge=1, le=BIGGEST_ID)] = BIGGEST_ID,
) -> Page:
    query = SELECT + "WHERE customer = %s AND id < %s ORDER BY id DESC LIMIT %s"
    rows = await (await db.execute(query, (customer, before, limit + 1))).fetchall()
    orders = [Order.model_validate(row) for row in rows[:limit]]
    following = None
    if len(rows) > limit:
        parameters = {"customer": customer, "limit": limit, "before": orders[-1].id}
        following = f"/orders?{httpx.QueryParams(parameters)}"
    return Page(orders=orders, next=following)


@app.post(
    "/orders/{order_id}/cancel",
    responses=refusals(s404="there is no such order", s409="it is cancelled already"),
)
async def cancel_order(order_id: OrderId, db: Db) -> Order:
    update = "UPDATE orders SET status = 'cancelled' WHERE id = %s AND status = 'placed'"
    cancelled = (await db.execute(update, (order_id,))).rowcount == 1
    order = Order.model_validate(await find(db, order_id))
    if not cancelled:
        raise HTTPException(409, "the order is cancelled already")
    lock = "SELECT FROM products WHERE sku = ANY(%s) ORDER BY sku FOR UPDATE"
    await db.execute(lock, ([line.sku for line in order.lines],))
    await change_stock(db, {line.sku: line.quantity for line in order.lines})
    return order

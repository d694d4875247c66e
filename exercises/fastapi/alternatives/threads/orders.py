"""Functions in threads: each takes a connection itself, for as long as its transaction lasts."""

import json
import logging
import os
import threading
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException, Path, Query, Response
from psycopg import sql
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool
from pydantic import BaseModel, ConfigDict, Field, StrictInt

log = logging.getLogger(__name__)
pool = ConnectionPool(
    os.environ["DATABASE_URL"], min_size=0, max_size=int(os.environ["POOL_SIZE"]), open=False
)


@asynccontextmanager
async def lifespan(_):
    pool.open()
    yield
    pool.close()


app = FastAPI(lifespan=lifespan)

Name = Annotated[str, Field(min_length=1, max_length=80, pattern="^[^\\u0000]*$")]
Number = Annotated[int, Path(gt=0, lt=2**63)]


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sku: str = Field(min_length=1, max_length=20, pattern="^[-A-Z0-9]*$")
    quantity: StrictInt = Field(gt=0, le=1000)


class NewOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")
    customer: Name
    lines: Annotated[list[Wanted], Field(min_length=1, max_length=20)]


class Status(StrEnum):
    placed = "placed"
    cancelled = "cancelled"


class Line(BaseModel):
    sku: str
    quantity: int
    price_cents: int


class Order(BaseModel):
    id: int
    customer: str
    status: Status
    total_cents: int
    lines: list[Line]


class Orders(BaseModel):
    orders: list[Order]
    next: str | None


class Row(BaseModel):
    order_id: int
    sku: str
    quantity: int
    price_cents: int


NOT_FOUND = {404: {"description": "not found"}}
CONFLICT = {409: {"description": "cannot be done now"}}


def load(connection, condition, *values):
    """Orders with their lines, in two statements."""
    select = sql.SQL("SELECT id, customer, status, total_cents FROM orders ") + condition
    heads = connection.execute(select, values).fetchall()
    cursor = connection.cursor(row_factory=class_row(Row))
    numbers = [head[0] for head in heads]
    rows = cursor.execute("SELECT * FROM order_lines WHERE order_id = ANY(%s)", (numbers,))
    lines = {number: [] for number in numbers}
    for row in rows:
        lines[row.order_id].append(row.model_dump(exclude={"order_id"}))
    names = ("id", "customer", "status", "total_cents")
    return [Order(**dict(zip(names, head, strict=True)), lines=lines[head[0]]) for head in heads]


def load_one(connection, number):
    found = load(connection, sql.SQL("WHERE id = %s"), number)
    if not found:
        raise HTTPException(404, "no such order")
    return found[0]


def mail(order):
    body = {"order": order.id, "customer": order.customer, "total_cents": order.total_cents}
    request = urllib.request.Request(
        os.environ["MAIL_URL"],
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except OSError as error:
        log.warning("order %d: no confirmation: %s", order.id, error)


@app.post("/orders", status_code=201, responses=NOT_FOUND | CONFLICT)
def place(new: NewOrder, response: Response) -> Order:
    quantities = {}
    for line in new.lines:
        quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
    with pool.connection() as connection:
        order = store(connection, new.customer, sorted(quantities.items()))
    # A thread of its own for each: those of the pool that serves requests are not for waiting.
    threading.Thread(target=mail, args=(order,), daemon=True).start()
    response.headers["Location"] = f"/orders/{order.id}"
    return order


def store(connection, customer, quantities):
    take = "UPDATE products SET stock = stock - %s WHERE sku = %s RETURNING price_cents, stock"
    lines = []
    for sku, quantity in quantities:
        row = connection.execute(take, (quantity, sku)).fetchone()
        if row is None:
            raise HTTPException(404, f"no product {sku}")
        if row[1] < 0:
            raise HTTPException(409, f"not enough of {sku}")
        lines.append((sku, quantity, row[0]))
    total = sum(quantity * price for _, quantity, price in lines)
    insert = "INSERT INTO orders (customer, total_cents) VALUES (%s, %s) RETURNING id"
    (number,) = connection.execute(insert, (customer, total)).fetchone()
    with connection.cursor() as cursor:
        rows = [(number, *line) for line in lines]
        cursor.executemany("INSERT INTO order_lines VALUES (%s, %s, %s, %s)", rows)
    return load_one(connection, number)


@app.get("/orders/{number}", responses=NOT_FOUND)
def show(number: Number) -> Order:
    with pool.connection() as connection:
        return load_one(connection, number)


@app.get("/orders")
def page(
    customer: Annotated[Name, Query()],
    limit: Annotated[int, Query(gt=0, le=100)] = 20,
    after: Annotated[int | None, Query(gt=0, lt=2**63)] = None,
) -> Orders:
    condition = "WHERE customer = %s AND (%s::bigint IS NULL OR id < %s) ORDER BY id DESC LIMIT %s"
    with pool.connection() as connection:
        found = load(connection, sql.SQL(condition), customer, after, after, limit + 1)
    shown = found[:limit]
    if len(found) == len(shown):
        return Orders(orders=shown, next=None)
    query = urlencode({"customer": customer, "limit": limit, "after": shown[-1].id})
    return Orders(orders=shown, next=f"/orders?{query}")


@app.post("/orders/{number}/cancel", responses=NOT_FOUND | CONFLICT)
def cancel(number: Number) -> Order:
    with pool.connection() as connection:
        connection.execute("SELECT FROM orders WHERE id = %s FOR UPDATE", (number,))
        order = load_one(connection, number)
        if order.status == Status.cancelled:
            raise HTTPException(409, "cancelled already")
        connection.execute("UPDATE orders SET status = 'cancelled' WHERE id = %s", (number,))
        for line in sorted(order.lines, key=lambda line: line.sku):
            give = "UPDATE products SET stock = stock + %s WHERE sku = %s"
            connection.execute(give, (line.quantity, line.sku))
        return order.model_copy(update={"status": Status.cancelled})

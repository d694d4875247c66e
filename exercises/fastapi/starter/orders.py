"""Orders for a roastery. The tasks are in README.md.

Start it with:  uvicorn orders:app --reload
Then look at:   http://127.0.0.1:8000/docs
"""

import os

import psycopg
from fastapi import FastAPI, HTTPException
from psycopg.rows import dict_row
from pydantic import BaseModel

app = FastAPI(title="Orders")


class NewOrder(BaseModel):
    customer: str
    # The lines are missing: make a model for them, too.


def connect():
    # Like this every request has a connection of its own, and PostgreSQL has too many.
    return psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row)


@app.post("/orders")
def place_order(new: NewOrder):
    raise HTTPException(501, f"An order by {new.customer}: not written yet.")


@app.get("/orders/{order_id}")
def get_order(order_id: int):
    with connect() as connection:
        select = "SELECT id, customer, status, total_cents FROM orders WHERE id = %s"
        order = connection.execute(select, (order_id,)).fetchone()
    if order is None:
        raise HTTPException(404, "There is no such order.")
    return order  # its lines are missing


@app.get("/orders")
def list_orders(customer: str):
    raise HTTPException(501, f"The orders of {customer}: not written yet.")

-- Task 1. The tables and columns are right. Add what keeps bad rows out.

CREATE TABLE members (
    id integer,
    email text,
    name text,
    balance numeric(12, 2)
);

CREATE TABLE categories (
    id integer,
    name text,
    parent_id integer
);

CREATE TABLE products (
    id integer,
    name text,
    category_id integer,
    price numeric(10, 2)
);

CREATE TABLE orders (
    id integer,
    member_id integer,
    placed_on date
);

CREATE TABLE order_lines (
    order_id integer,
    product_id integer,
    quantity integer,
    price numeric(10, 2) -- of one piece, on the day of the order
);

CREATE TABLE reviews (
    product_id integer,
    member_id integer,
    stars integer
);

CREATE TABLE transfers (
    id integer,
    sender_id integer,
    receiver_id integer,
    amount numeric(12, 2),
    made_at timestamptz
);

-- A supplier's file as it came. Leave it as it is.
CREATE TABLE price_list (
    line integer,
    product_id integer,
    name text,
    category_id integer,
    price numeric(10, 2)
);

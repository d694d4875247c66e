-- The co-op's books. What must never be in them is refused here, whoever writes.

CREATE TABLE members (
    id integer PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    balance numeric(12, 2) NOT NULL DEFAULT 0 CHECK (balance >= 0)
);
CREATE UNIQUE INDEX one_member_per_email ON members (lower(email));

CREATE TABLE categories (
    id integer PRIMARY KEY,
    name text NOT NULL,
    parent_id integer REFERENCES categories,
    UNIQUE NULLS NOT DISTINCT (parent_id, name)
);

CREATE TABLE products (
    id integer PRIMARY KEY,
    name text NOT NULL,
    category_id integer REFERENCES categories,
    price numeric(10, 2) NOT NULL CHECK (price >= 0)
);

CREATE TABLE orders (
    id integer PRIMARY KEY,
    member_id integer NOT NULL REFERENCES members,
    placed_on date NOT NULL
);

CREATE TABLE order_lines (
    order_id integer REFERENCES orders ON DELETE CASCADE,
    product_id integer REFERENCES products,
    quantity integer NOT NULL CHECK (quantity > 0),
    price numeric(10, 2) NOT NULL CHECK (price >= 0),
    PRIMARY KEY (order_id, product_id)
);

CREATE TABLE reviews (
    product_id integer REFERENCES products,
    member_id integer REFERENCES members,
    stars integer NOT NULL CHECK (stars BETWEEN 1 AND 5),
    PRIMARY KEY (product_id, member_id)
);

CREATE TABLE transfers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender_id integer NOT NULL REFERENCES members,
    receiver_id integer NOT NULL REFERENCES members,
    amount numeric(12, 2) NOT NULL CHECK (amount > 0),
    made_at timestamptz NOT NULL DEFAULT now(),
    CHECK (sender_id <> receiver_id)
);

CREATE TABLE price_list (
    line integer,
    product_id integer,
    name text,
    category_id integer,
    price numeric(10, 2)
);

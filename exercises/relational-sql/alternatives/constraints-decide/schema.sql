CREATE DOMAIN euros AS numeric(12, 2) CHECK (VALUE >= 0 AND VALUE <> 'NaN');

CREATE TABLE members (
    id integer PRIMARY KEY,
    email text NOT NULL,
    email_key text GENERATED ALWAYS AS (lower(email)) STORED UNIQUE,
    name text NOT NULL,
    balance euros NOT NULL DEFAULT 0
);

CREATE TABLE categories (
    id integer PRIMARY KEY,
    name text NOT NULL,
    parent_id integer REFERENCES categories ON DELETE RESTRICT,
    UNIQUE (parent_id, name)
);
CREATE UNIQUE INDEX ON categories (name) WHERE parent_id IS NULL;

CREATE TABLE products (
    id integer PRIMARY KEY,
    name text NOT NULL,
    category_id integer REFERENCES categories DEFERRABLE INITIALLY DEFERRED,
    price euros NOT NULL
);

CREATE TABLE orders (
    id integer PRIMARY KEY,
    member_id integer NOT NULL REFERENCES members DEFERRABLE INITIALLY DEFERRED,
    placed_on date NOT NULL
);

CREATE TABLE order_lines (
    order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id integer NOT NULL REFERENCES products,
    quantity integer NOT NULL CHECK (quantity >= 1),
    price euros NOT NULL,
    UNIQUE (order_id, product_id)
);

CREATE TABLE reviews (
    product_id integer NOT NULL REFERENCES products,
    member_id integer NOT NULL REFERENCES members,
    stars smallint NOT NULL CHECK (stars IN (1, 2, 3, 4, 5)),
    UNIQUE (member_id, product_id)
);

CREATE TABLE transfers (
    id bigserial PRIMARY KEY,
    sender_id integer NOT NULL REFERENCES members,
    receiver_id integer NOT NULL REFERENCES members CHECK (receiver_id != sender_id),
    amount euros NOT NULL CHECK (amount <> 0),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE price_list (
    line integer,
    product_id integer,
    name text,
    category_id integer,
    price numeric(10, 2)
);

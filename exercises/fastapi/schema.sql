CREATE TABLE products (
    sku         text    PRIMARY KEY,
    price_cents integer NOT NULL,
    stock       integer NOT NULL
);

CREATE TABLE orders (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer    text        NOT NULL,
    status      text        NOT NULL DEFAULT 'placed',
    total_cents bigint      NOT NULL
);
CREATE INDEX ON orders (customer, id);

CREATE TABLE order_lines (
    order_id    bigint  NOT NULL REFERENCES orders,
    sku         text    NOT NULL REFERENCES products,
    quantity    integer NOT NULL,
    price_cents integer NOT NULL,
    PRIMARY KEY (order_id, sku)
);

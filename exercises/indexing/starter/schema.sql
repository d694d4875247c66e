-- The tables as they are in production. seed.sql fills them and adds the rest.

CREATE TABLE customers (
    id    integer PRIMARY KEY,
    email text    NOT NULL, -- as the customer typed it
    name  text    NOT NULL
);

CREATE TABLE parcels (
    id          integer   PRIMARY KEY,
    code        text      NOT NULL, -- printed on the label; no two are equal
    customer_id integer   NOT NULL, -- who sends it
    depot_id    integer   NOT NULL,
    status      text      NOT NULL, -- 'waiting', 'delivered' or 'lost'
    sent_at     timestamp NOT NULL,
    price       integer   NOT NULL -- in cents
);

CREATE TABLE scans (
    id         integer   PRIMARY KEY,
    parcel_id  integer   NOT NULL,
    scanned_at timestamp NOT NULL,
    place      text      NOT NULL
);

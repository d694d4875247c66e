-- Tables first, rules afterwards; triggers where a person should read a sentence.
CREATE TABLE members (id integer, email text, name text, balance numeric(12, 2));
CREATE TABLE categories (id integer, name text, parent_id integer);
CREATE TABLE products (id integer, name text, category_id integer, price numeric(10, 2));
CREATE TABLE orders (id integer, member_id integer, placed_on date);
CREATE TABLE order_lines (
    order_id integer, product_id integer, quantity integer, price numeric(10, 2)
);
CREATE TABLE reviews (product_id integer, member_id integer, stars integer);
CREATE TABLE transfers (
    id uuid, sender_id integer, receiver_id integer, amount numeric(12, 2), made_at timestamptz
);
CREATE TABLE price_list (
    line integer, product_id integer, name text, category_id integer, price numeric(10, 2)
);

ALTER TABLE members
    ADD PRIMARY KEY (id),
    ALTER email SET NOT NULL,
    ALTER name SET NOT NULL,
    ALTER balance SET NOT NULL,
    ALTER balance SET DEFAULT 0;
CREATE UNIQUE INDEX ON members (upper(email));

ALTER TABLE categories
    ADD PRIMARY KEY (id),
    ALTER name SET NOT NULL,
    ADD FOREIGN KEY (parent_id) REFERENCES categories;
CREATE UNIQUE INDEX ON categories (coalesce(parent_id, -1), name);

ALTER TABLE products
    ADD PRIMARY KEY (id),
    ALTER name SET NOT NULL,
    ALTER price SET NOT NULL,
    ADD FOREIGN KEY (category_id) REFERENCES categories;

ALTER TABLE orders
    ADD PRIMARY KEY (id),
    ALTER placed_on SET NOT NULL,
    ALTER member_id SET NOT NULL,
    ADD FOREIGN KEY (member_id) REFERENCES members;

ALTER TABLE order_lines
    ADD PRIMARY KEY (product_id, order_id),
    ALTER quantity SET NOT NULL,
    ALTER price SET NOT NULL,
    ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE,
    ADD FOREIGN KEY (product_id) REFERENCES products;

ALTER TABLE reviews
    ADD PRIMARY KEY (member_id, product_id),
    ALTER stars SET NOT NULL,
    ADD FOREIGN KEY (product_id) REFERENCES products,
    ADD FOREIGN KEY (member_id) REFERENCES members;

ALTER TABLE transfers
    ALTER id SET DEFAULT gen_random_uuid(),
    ADD PRIMARY KEY (id),
    ALTER sender_id SET NOT NULL,
    ALTER receiver_id SET NOT NULL,
    ALTER amount SET NOT NULL,
    ALTER made_at SET NOT NULL,
    ALTER made_at SET DEFAULT current_timestamp,
    ADD FOREIGN KEY (sender_id) REFERENCES members,
    ADD FOREIGN KEY (receiver_id) REFERENCES members;

CREATE FUNCTION check_values() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad boolean;
BEGIN
    EXECUTE format('SELECT %s FROM (SELECT $1.*) AS new', TG_ARGV[0]) USING NEW INTO bad;
    IF bad THEN
        RAISE EXCEPTION '% refuses %', TG_TABLE_NAME, NEW;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER members BEFORE INSERT OR UPDATE ON members
    FOR EACH ROW EXECUTE FUNCTION check_values('balance < 0');
CREATE TRIGGER products BEFORE INSERT OR UPDATE ON products
    FOR EACH ROW EXECUTE FUNCTION check_values('price < 0');
CREATE TRIGGER lines BEFORE INSERT OR UPDATE ON order_lines
    FOR EACH ROW EXECUTE FUNCTION check_values('price < 0 OR quantity < 1');
CREATE TRIGGER reviews BEFORE INSERT OR UPDATE ON reviews
    FOR EACH ROW EXECUTE FUNCTION check_values('stars NOT BETWEEN 1 AND 5');
CREATE TRIGGER transfers BEFORE INSERT OR UPDATE ON transfers
    FOR EACH ROW EXECUTE FUNCTION check_values('amount <= 0 OR sender_id = receiver_id');

CREATE VIEW order_values AS
SELECT o.id, o.member_id, o.placed_on, coalesce(sum(l.quantity * l.price), 0) AS spent, count(l.*)
FROM orders o LEFT JOIN order_lines l ON l.order_id = o.id
GROUP BY o.id;

CREATE FUNCTION path_of(category integer) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    this categories;
    path text;
BEGIN
    LOOP
        SELECT * INTO this FROM categories WHERE id = category;
        path := concat_ws(' / ', this.name, path);
        category := this.parent_id;
        EXIT WHEN category IS NULL;
    END LOOP;
    RETURN path;
END
$$;

CREATE FUNCTION sold_in(category integer) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    here bigint;
    below bigint;
BEGIN
    SELECT sum(quantity) INTO here FROM order_lines
    WHERE product_id IN (SELECT id FROM products WHERE category_id = category);
    SELECT sum(sold_in(id)) INTO below FROM categories WHERE parent_id = category;
    RETURN coalesce(here, 0) + coalesce(below, 0);
END
$$;

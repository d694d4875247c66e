-- 30,000 customers, 150,000 parcels of one year, 120,000 scans of the latest parcels. The numbers
-- look random and are the same each time.

SELECT setseed(0.42);

INSERT INTO customers (id, email, name)
SELECT
    n,
    first || '.' || last || n || '@post.example',
    first || ' ' || last
FROM generate_series(1, 30000) AS n
CROSS JOIN LATERAL (
    SELECT
        (ARRAY['Ada', 'Bo', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gus'])[1 + n % 7] AS first,
        (ARRAY['Ash', 'Birch', 'Cole', 'Dale', 'Elm'])[1 + n % 5] AS last
) AS names;

-- Every fifth parcel comes from one of ten shops, the customers 1 to 10.
INSERT INTO parcels (id, code, customer_id, depot_id, status, sent_at, price)
SELECT
    n,
    upper(left(md5(n::text), 12)),
    CASE WHEN random() < 0.2 THEN 1 + n % 10 ELSE 11 + floor(random() * 29000) END,
    1 + floor(random() * 12),
    CASE WHEN n > 112500 AND random() < 0.08 THEN 'waiting'
         WHEN random() < 0.03 THEN 'lost' ELSE 'delivered' END,
    timestamp '2025-01-01' + interval '210 seconds' * n + interval '60 seconds' * floor(random() * 9),
    300 + floor(random() * 2000)
FROM generate_series(1, 150000) AS n;

INSERT INTO scans (id, parcel_id, scanned_at, place)
SELECT
    n,
    110001 + (n * 7919::bigint) % 40000,
    timestamp '2025-10-01' + interval '60 seconds' * n,
    'belt ' || floor(random() * 90)
FROM generate_series(1, 120000) AS n;

-- With the rows in, all of them are looked at in one go.
ALTER TABLE parcels ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE scans ADD FOREIGN KEY (parcel_id) REFERENCES parcels;

-- Somebody hoped that these would help.
CREATE INDEX parcels_status ON parcels (status);
CREATE INDEX parcels_customer_id ON parcels (customer_id);
CREATE INDEX scans_place ON scans (place);

BEGIN;
-- What is unique may say so, and has its index.
ALTER TABLE parcels ADD CONSTRAINT one_parcel_per_code UNIQUE (code);
CREATE UNIQUE INDEX ON customers ((lower(email)));
CREATE INDEX ON scans USING btree (parcel_id) WITH (fillfactor = 95);
CREATE INDEX ON parcels (customer_id, sent_at, price);
CREATE INDEX ON parcels (depot_id, status, sent_at) WHERE status NOT IN ('delivered', 'lost');
CREATE INDEX IF NOT EXISTS waiting ON parcels (depot_id, sent_at) WHERE status IN ('waiting');
DROP INDEX parcels_customer_id;
DROP INDEX parcels_status;
DROP INDEX scans_place;
COMMIT;

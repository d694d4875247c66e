DROP INDEX parcels_status, parcels_customer_id, scans_place;
CREATE INDEX ON customers (lower(email));
CREATE INDEX ON parcels (code);
CREATE INDEX ON scans (parcel_id);
CREATE INDEX ON parcels (customer_id, sent_at) INCLUDE (price);
CREATE INDEX ON parcels (depot_id, sent_at) WHERE status = 'waiting';

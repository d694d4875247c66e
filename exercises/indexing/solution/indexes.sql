-- Nothing asks for a status or a place alone, and what begins with customer_id comes below.
DROP INDEX parcels_status, parcels_customer_id, scans_place;

-- login: what is compared is not the email, but its small letters.
CREATE INDEX customers_lower_email ON customers (lower(email));

-- track: a foreign key has no index by itself.
CREATE INDEX parcels_code ON parcels (code);
CREATE INDEX scans_parcel_id ON scans (parcel_id);

-- recent and invoice: the customer first, then in order of time; the price is only carried along.
CREATE INDEX parcels_customer_sent ON parcels (customer_id, sent_at) INCLUDE (price);

-- queue: two of a hundred parcels wait.
CREATE INDEX parcels_waiting ON parcels (depot_id, sent_at) WHERE status = 'waiting';

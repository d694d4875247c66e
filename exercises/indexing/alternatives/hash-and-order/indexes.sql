drop index if exists parcels_status, scans_place;
create index by_mail on customers using hash (lower(email));
create index by_code on parcels using hash (code);
create index by_parcel on scans (parcel_id, scanned_at);
-- In the order in which the latest parcels are shown, ties included.
create index by_customer on parcels (customer_id, sent_at desc, id desc) include (price);
drop index parcels_customer_id;
create index still_there on parcels (depot_id, sent_at, id) include (code) where (status = 'waiting');

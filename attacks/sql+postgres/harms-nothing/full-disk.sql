-- Fills the disk of the database.
CREATE TABLE left_behind AS SELECT repeat(md5(n::text), 100) AS x FROM generate_series(1, 10000000) n;

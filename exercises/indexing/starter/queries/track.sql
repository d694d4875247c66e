-- Where has this parcel been?
:explain
SELECT scans.scanned_at, scans.place
FROM parcels
JOIN scans ON scans.parcel_id = parcels.id
WHERE parcels.code = :'code'
ORDER BY scans.scanned_at;

with spent as (
    select make_date(extract(year from placed_on)::int, extract(month from placed_on)::int, 1) m,
        member_id, sum(quantity * price) total
    from order_lines join orders on id = order_id
    group by m, member_id
)
select m as month, place, member_id, total as spent
from spent a
cross join lateral (
    select 1 + count(*) as place from spent b where b.m = a.m and b.total > a.total
) as better
where place < 4
order by m, place, member_id;

select
    o.member_id,
    o.id as order_id,
    w.spent,
    sum(w.spent) over (
        partition by o.member_id order by o.placed_on, o.id
        rows between unbounded preceding and current row
    ) as so_far,
    o.placed_on - (
        select max(b.placed_on) from orders b
        where b.member_id = o.member_id and (b.placed_on, b.id) < (o.placed_on, o.id)
    ) as days
from orders o
cross join lateral (
    select coalesce(sum(quantity * price), 0) as spent from order_lines where order_id = o.id
) w
order by o.member_id, o.placed_on, o.id;

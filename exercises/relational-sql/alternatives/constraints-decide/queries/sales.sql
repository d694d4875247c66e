select p.id as product_id, l.sold, r.reviews, r.stars
from products p
cross join lateral (
    select coalesce(sum(quantity), 0)::int as sold from order_lines where product_id = p.id
) l
cross join lateral (
    select count(stars) as reviews, round(avg(stars), 2) as stars from reviews
    where product_id = p.id
) r
order by 1

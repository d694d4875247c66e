select c.id, c.name
from categories c
where c.id not in (select category_id from products where category_id is not null)
and c.id not in (select parent_id from categories where parent_id is not null)
order by c.id;

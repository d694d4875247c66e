-- Every pair of a category and one that is in it, itself first.
with recursive pairs(top, low) as (
    select id, id from categories
    union
    select pairs.top, categories.id from pairs join categories on categories.parent_id = pairs.low
),
names(id, path) as (
    select id, array[name] from categories where parent_id is null
    union all
    select c.id, n.path || c.name from names n, categories c where c.parent_id = n.id
)
select
    names.id,
    array_to_string(names.path, ' / ') as path,
    (
        select coalesce(sum(quantity), 0)
        from pairs, products, order_lines
        where pairs.top = names.id and category_id = pairs.low and product_id = products.id
    ) as sold
from names
order by names.id;

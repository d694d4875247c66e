merge into products p
using (
    select * from (
        select l.*, row_number() over (partition by product_id order by line desc) as n
        from price_list l
    ) numbered
    where n = 1
) l on l.product_id = p.id
when matched then update set
    name = l.name,
    price = l.price,
    category_id = case when l.category_id is null then p.category_id else l.category_id end
when not matched then insert (id, name, category_id, price)
    values (l.product_id, l.name, l.category_id, l.price);

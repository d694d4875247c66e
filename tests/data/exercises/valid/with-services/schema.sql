create table product (id int);

-- The dictionary of the warehouse, read from the catalogue itself: it cannot be out of date.
-- Grain: one row per table (column_name is null) and per column. Stage tables and partitions are left out.

create or replace view ops.data_dictionary as
select
    n.nspname::text as schema_name,
    c.relname::text as table_name,
    a.attname::text as column_name,
    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as table_kind,
    format_type(a.atttypid, a.atttypmod) as data_type,
    a.attnum::integer as position,
    split_part(d.description, ' | ', 1) as comment_vi,
    nullif(split_part(d.description, ' | ', 2), '') as comment_en
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
inner join (
    select
        x.attrelid,
        x.attnum,
        x.attname,
        x.atttypid,
        x.atttypmod
    from pg_catalog.pg_attribute as x
    where x.attnum > 0 and not x.attisdropped
    union all
    select
        t.oid as attrelid,
        0 as attnum,
        null as attname,
        null as atttypid,
        null as atttypmod
    from pg_catalog.pg_class as t
) as a on c.oid = a.attrelid
left join pg_catalog.pg_description as d
    on c.oid = d.objoid and d.classoid = 'pg_catalog.pg_class'::regclass and a.attnum = d.objsubid
where
    n.nspname in ('core', 'mart', 'ops', 'restricted')
    and c.relkind in ('r', 'p', 'v', 'm')
    and not c.relispartition;

comment on view ops.data_dictionary is 'Từ điển dữ liệu: mọi bảng và cột kèm chú thích | Data dictionary: every table and column with its comment';
comment on column ops.data_dictionary.schema_name is 'Lược đồ | Schema';
comment on column ops.data_dictionary.table_name is 'Bảng | Table';
comment on column ops.data_dictionary.column_name is 'Cột; trống là dòng của bảng | Column; empty on the row of the table';
comment on column ops.data_dictionary.table_kind is 'Loại: bảng hoặc khung nhìn | Kind: table or view';
comment on column ops.data_dictionary.data_type is 'Kiểu dữ liệu | Data type';
comment on column ops.data_dictionary.position is 'Thứ tự cột | Position of the column';
comment on column ops.data_dictionary.comment_vi is 'Chú thích tiếng Việt | Comment in Vietnamese';
comment on column ops.data_dictionary.comment_en is 'Chú thích tiếng Anh | Comment in English';

grant select on ops.data_dictionary to dx_loader, dx_engineer, dx_analyst;

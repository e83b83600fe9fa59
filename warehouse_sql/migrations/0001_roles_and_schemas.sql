-- Schemas and group roles of the warehouse. Run by the owner of the database (superuser or CREATEROLE).
-- The roles cannot log in: a person or a service is made a member of one of them.
--   dx_loader    writes rows of stage, core, mart, restricted and ops; owns nothing but its stage tables
--   dx_engineer  reads core, mart and ops; not restricted, not the raw records in quarantine
--   dx_analyst   reads core and mart
--   dx_bi        reads mart
-- Privileges are granted table by table in the migration that creates the table: "all tables in schema" would
-- hand out partitions too, and a partition read by its own name skips the row policies of its parent.

do $$
declare
    role_name text;
begin
    foreach role_name in array array['dx_loader', 'dx_engineer', 'dx_analyst', 'dx_bi'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception
                -- Roles belong to the cluster: another database may have made it a moment ago.
                when duplicate_object or unique_violation then null;
            end;
        end if;
    end loop;
end;
$$;

create schema if not exists core;
create schema if not exists core_partition;
create schema if not exists mart;
create schema if not exists ops;
create schema if not exists stage;
create schema if not exists restricted;

comment on schema core is 'Lược đồ sao: chiều và sự kiện, không có dữ liệu cá nhân trực tiếp | The star: dimensions and facts, no direct personal data';
comment on schema core_partition is 'Các phân vùng tháng của bảng sự kiện, chỉ đọc qua bảng cha | Monthly partitions of the facts, read through their parent only';
comment on schema mart is 'Bảng tổng hợp cho báo cáo và BI | Tables for reports and BI';
comment on schema ops is 'Sổ cái lô dữ liệu, kiểm tra chất lượng, cách ly | Ledger of batches, quality results, quarantine';
comment on schema stage is 'Bảng tạm của từng lô trước khi công bố | Rows of a batch before they are published';
comment on schema restricted is 'Bí danh có khóa của dữ liệu cá nhân, truy cập hạn chế | Keyed pseudonyms of personal data, limited access';

grant usage on schema core to dx_loader, dx_engineer, dx_analyst;
grant usage on schema mart to dx_loader, dx_engineer, dx_analyst, dx_bi;
grant usage on schema ops to dx_loader, dx_engineer, dx_analyst;
grant usage, create on schema stage to dx_loader;
grant usage on schema restricted to dx_loader;

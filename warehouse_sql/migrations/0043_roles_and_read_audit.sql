-- Two more roles, the own rows of a department, and the audit of reads of personal records.
--   dx_department  members are the roles of single departments, named dx_department:<agency code>; each sees the rows
--                  that its own agency has to mend, and its own months of dossier_on_time
--   dx_auditor     reads the ledger, the record of reads and the record of operations; no data
-- Raw records of ops.quarantine and the tables of restricted are read by people through two functions only:
--   1. ops.request_read(object, purpose, scope) writes who, when and what for, and gives a number;
--   2. ops.read_quarantine(number, scope) or ops.read_restricted(number, scope) gives the rows, but only once the
--      transaction of the request is committed: a reader who rolls back has left his trace all the same.
-- Row policies hold no subquery and read no table, so that they work on Citus too (pg_has_role on a role's name).

do $$
declare
    role_name text;
begin
    foreach role_name in array array['dx_department', 'dx_auditor'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception
                -- Roles belong to the cluster: another database may have made it a moment ago.
                when duplicate_object or unique_violation then null;
            end;
        end if;
        -- As in 0015: the owner answers questions of `dx sql --role` with the rights of the role.
        if not pg_has_role(current_user, role_name, 'SET') then
            begin
                execute format('grant %I to %I with inherit false, set true', role_name, current_user);
            exception
                when insufficient_privilege then
                    raise exception
                        'the owner % may not take role %: have an administrator of the server run '
                        '"grant dx_department, dx_auditor to % with admin true, inherit false, set true"',
                        current_user,
                        role_name,
                        quote_ident(current_user)
                        using errcode = 'insufficient_privilege';
            end;
        end if;
    end loop;
end;
$$;

grant usage on schema ops to dx_department, dx_auditor;
grant usage on schema mart to dx_department;

-- Makes the role of one department; a login of the department becomes its member. Run by the owner.
create or replace function ops.create_department_role(agency text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    role_name constant text := 'dx_department:' || agency;
begin
    -- Names of roles end after 63 bytes: a longer code could meet another one's role.
    if agency is null or agency !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$' then
        raise exception
            '% is not an agency code: letters, digits, ''.'', ''_'' and ''-'', 40 at most',
            quote_nullable(agency)
            using errcode = 'invalid_parameter_value';
    end if;
    if not exists (select from pg_roles where rolname = role_name) then
        execute format('create role %I nologin', role_name);
    end if;
    execute format('grant dx_department to %I', role_name);
    return role_name;
end;
$$;

revoke all on function ops.create_department_role(text) from public;

-- -- own rows -----------------------------------------------------------------------------------------

grant select (
    quarantine_id,
    system,
    dataset,
    row_key,
    reasons,
    owner_agency,
    first_batch_id,
    last_batch_id,
    first_seen,
    last_seen,
    status,
    released_at,
    released_by_batch
) on ops.quarantine to dx_department;
grant select on mart.dossier_on_time to dx_department;

alter table ops.quarantine enable row level security;
alter table mart.dossier_on_time enable row level security;

drop policy if exists quarantine_loader on ops.quarantine;
create policy quarantine_loader on ops.quarantine for all to dx_loader using (true) with check (true);

drop policy if exists quarantine_own_rows on ops.quarantine;
create policy quarantine_own_rows on ops.quarantine for select
using (
    not pg_has_role(current_user, 'dx_department', 'member')
    or (
        length(owner_agency) <= 40
        and pg_has_role(current_user, to_regrole(quote_ident('dx_department:' || owner_agency))::oid, 'usage')
    )
);

drop policy if exists dossier_on_time_loader on mart.dossier_on_time;
create policy dossier_on_time_loader on mart.dossier_on_time for all to dx_loader using (true) with check (true);

drop policy if exists dossier_on_time_own_rows on mart.dossier_on_time;
create policy dossier_on_time_own_rows on mart.dossier_on_time for select
using (
    not pg_has_role(current_user, 'dx_department', 'member')
    or (
        length(agency_code) <= 40
        and pg_has_role(current_user, to_regrole(quote_ident('dx_department:' || agency_code))::oid, 'usage')
    )
);

-- -- the record of reads ------------------------------------------------------------------------------

-- Grain: one row per request to read personal records, and one per reading that followed it. Only added to.
create table if not exists ops.read_audit (
    audit_id bigint generated always as identity primary key,
    at timestamptz not null,
    kind text not null
        constraint read_audit_kind_known check (kind in ('request', 'read')),
    request_id bigint references ops.read_audit (audit_id),
    who text not null,
    acting_as text not null,
    client_address text,
    application text,
    object text not null,
    scope jsonb not null,
    scope_hash text not null,
    purpose text not null
        constraint read_audit_purpose_told check (length(btrim(purpose)) between 8 and 500),
    rows bigint,
    query_hash text not null,
    transaction_id xid8 not null,
    constraint read_audit_reading_has_request check (
        (kind = 'request') = (request_id is null) and (kind = 'read') = (rows is not null)
    )
);

-- Grain: one row per operation on the installation: backup, restore, retention, keys. Only added to.
create table if not exists ops.operation (
    operation_id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    kind text not null
        constraint operation_kind_known check (
            kind in ('backup', 'restore', 'retention', 'key_rotation', 'key_deletion')
        ),
    who text not null default session_user,
    details jsonb not null
);

-- Writes the request and gives its number. The scope of a restricted table is kept as names and a hash: its values
-- are pseudonyms.
create or replace function ops.request_read(object text, purpose text, scope jsonb default '{}')
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    made bigint;
    is_restricted constant boolean := object like 'restricted.%';
begin
    if object is distinct from 'ops.quarantine' and not is_restricted then
        raise exception '% is not a protected table: ops.quarantine or a table of restricted', quote_nullable(object)
            using errcode = 'invalid_parameter_value';
    end if;
    if jsonb_typeof(scope) is distinct from 'object' then
        raise exception 'the scope of a request is a JSON object, e.g. {"quarantine_id": 7}'
            using errcode = 'invalid_parameter_value';
    end if;
    insert into ops.read_audit (
        at, kind, who, acting_as, client_address, application, object, scope, scope_hash, purpose, query_hash,
        transaction_id
    )
    select
        clock_timestamp() as at,
        'request' as kind,
        session_user as who,
        current_setting('role') as acting_as,
        host(inet_client_addr()) as client_address,
        left(current_setting('application_name'), 200) as application,
        request_read.object,
        case
            when is_restricted
                then jsonb_build_object(
                    'columns',
                    (select coalesce(jsonb_agg(k), '[]') from jsonb_object_keys(request_read.scope) as k)
                )
            else request_read.scope
        end as scope,
        encode(sha256(convert_to(request_read.scope::text, 'UTF8')), 'hex') as scope_hash,
        request_read.purpose,
        encode(sha256(convert_to(current_query(), 'UTF8')), 'hex') as query_hash,
        pg_current_xact_id() as transaction_id
    returning audit_id into made;
    return made;
end;
$$;

-- Whether the caller (as he logged in) belongs to the owner of the warehouse.
create or replace function ops.caller_is_owner()
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select pg_has_role(session_user, c.relowner, 'member')
    from pg_class as c
    where c.oid = 'ops.read_audit'::regclass
$$;

-- Checks a request before its rows are given: the caller's own, for this object and scope, committed, ten minutes old
-- at most.
create or replace function ops.check_request(request bigint, object text, scope jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    found_request ops.read_audit;
begin
    select a.*
    into found_request
    from ops.read_audit as a
    where
        a.audit_id = request
        and a.kind = 'request'
        and a.who = session_user
        and a.object = check_request.object
        and a.scope_hash = encode(sha256(convert_to(check_request.scope::text, 'UTF8')), 'hex')
        and a.at > clock_timestamp() - interval '10 minutes';
    if found_request.audit_id is null then
        raise exception 'request % is not yours, not for this table and scope, or older than 10 minutes', request
            using errcode = 'insufficient_privilege', hint = 'ask ops.request_read for a new one';
    end if;
    if pg_xact_status(found_request.transaction_id) is distinct from 'committed' then
        raise exception 'request % is not committed yet, so its trace could still be undone', request
            using errcode = 'insufficient_privilege', hint = 'commit, then read';
    end if;
end;
$$;

create or replace function ops.note_reading(request bigint, rows_read bigint)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into ops.read_audit (
        at, kind, request_id, who, acting_as, client_address, application, object, scope, scope_hash, purpose, rows,
        query_hash, transaction_id
    )
    select
        clock_timestamp(),
        'read',
        a.audit_id,
        session_user,
        current_setting('role'),
        host(inet_client_addr()),
        left(current_setting('application_name'), 200),
        a.object,
        a.scope,
        a.scope_hash,
        a.purpose,
        rows_read,
        encode(sha256(convert_to(current_query(), 'UTF8')), 'hex'),
        pg_current_xact_id()
    from ops.read_audit as a
    where a.audit_id = request
$$;

-- Rejected rows with their raw records: all for the owner, for a department those that its own agency has to mend.
-- Scope: any of quarantine_id, datasets, reason, agency, status.
create or replace function ops.read_quarantine(request bigint, scope jsonb default '{}')
returns table (quarantine_id bigint, raw_record jsonb)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    rows_read bigint;
    unknown_name text;
begin
    select k into unknown_name
    from jsonb_object_keys(scope) as k
    where k not in ('quarantine_id', 'datasets', 'reason', 'agency', 'status')
    limit 1;
    if unknown_name is not null then
        raise exception 'unknown scope %', quote_ident(unknown_name) using errcode = 'invalid_parameter_value';
    end if;
    perform ops.check_request(request, 'ops.quarantine', scope);
    return query
    select
        q.quarantine_id,
        q.raw_record
    from ops.quarantine as q
    where
        (
            ops.caller_is_owner()
            or (
                length(q.owner_agency) <= 40
                and pg_has_role(session_user, to_regrole(quote_ident('dx_department:' || q.owner_agency))::oid, 'usage')
            )
        )
        and (not scope ? 'quarantine_id' or q.quarantine_id = (scope ->> 'quarantine_id')::bigint)
        and (not scope ? 'datasets' or scope -> 'datasets' ? (q.system || '.' || q.dataset))
        and (not scope ? 'reason' or scope ->> 'reason' = any(q.reasons))
        and (not scope ? 'agency' or q.owner_agency = scope ->> 'agency')
        and (not scope ? 'status' or q.status = scope ->> 'status');
    get diagnostics rows_read = row_count;
    perform ops.note_reading(request, rows_read);
end;
$$;

-- Rows of a table of restricted as JSON, for who answers for personal data (the owner grants EXECUTE by name). Scope:
-- column → text of its value (bytea as \x...); 10,000 rows at most.
create or replace function ops.read_restricted(request bigint, object text, scope jsonb default '{}')
returns setof jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    relation regclass;
    conditions text := 'true';
    column_name text;
    rows_read bigint;
begin
    select c.oid into relation
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'restricted' and 'restricted.' || c.relname = object and c.relkind in ('r', 'p');
    if relation is null then
        raise exception '% is not a table of restricted', quote_nullable(object)
            using errcode = 'invalid_parameter_value';
    end if;
    perform ops.check_request(request, object, scope);
    for column_name in select k from jsonb_object_keys(scope) as k loop
        if not exists (
            select from pg_attribute as a
            where a.attrelid = relation and a.attname = column_name and a.attnum > 0 and not a.attisdropped
        ) then
            raise exception '% has no column %', object, quote_ident(column_name)
                using errcode = 'invalid_parameter_value';
        end if;
        conditions := conditions || format(' and t.%I::text = $1 ->> %L', column_name, column_name);
    end loop;
    return query
    execute format('select to_jsonb(t) from %s as t where %s limit 10000', relation, conditions) using scope;
    get diagnostics rows_read = row_count;
    perform ops.note_reading(request, rows_read);
end;
$$;

revoke all on function ops.request_read(text, text, jsonb) from public;
revoke all on function ops.caller_is_owner() from public;
revoke all on function ops.check_request(bigint, text, jsonb) from public;
revoke all on function ops.note_reading(bigint, bigint) from public;
revoke all on function ops.read_quarantine(bigint, jsonb) from public;
revoke all on function ops.read_restricted(bigint, text, jsonb) from public;
grant execute on function ops.request_read(text, text, jsonb) to dx_department;
grant execute on function ops.read_quarantine(bigint, jsonb) to dx_department;

-- No insert, update or delete for anybody but the owner: rows come from the functions above and the owner's commands.
grant select on ops.read_audit to dx_auditor;
grant select on ops.operation to dx_auditor, dx_engineer;
grant select on ops.batch to dx_auditor;
grant select on ops.stage_content to dx_auditor;
grant select (
    batch_id,
    code,
    expectation_type,
    severity,
    passed,
    evaluated,
    unexpected,
    missing,
    message_vi,
    message_en
) on ops.rule_result to dx_auditor;
grant select on ops.migration to dx_auditor;

comment on table ops.read_audit is 'Nhật ký đọc hồ sơ có dữ liệu cá nhân, chỉ ghi thêm | Record of reads of personal records, only added to';
comment on column ops.read_audit.audit_id is 'Số thứ tự | Number of the entry';
comment on column ops.read_audit.at is 'Thời điểm | At';
comment on column ops.read_audit.kind is 'request xin đọc, read đã đọc | request or read';
comment on column ops.read_audit.request_id is 'Lần xin đọc tương ứng | The request of a reading';
comment on column ops.read_audit.who is 'Tài khoản đăng nhập | Login';
comment on column ops.read_audit.acting_as is 'Vai trò đang dùng (none nếu không) | Role taken (none if none)';
comment on column ops.read_audit.client_address is 'Địa chỉ máy khách | Address of the client';
comment on column ops.read_audit.application is 'Tên ứng dụng do máy khách khai | Application as the client calls itself';
comment on column ops.read_audit.object is 'Bảng được đọc | Table read';
comment on column ops.read_audit.scope is 'Phạm vi xin đọc; bảng restricted chỉ ghi tên cột | Scope asked for; of restricted tables the column names only';
comment on column ops.read_audit.scope_hash is 'SHA-256 của phạm vi | SHA-256 of the scope';
comment on column ops.read_audit.purpose is 'Mục đích | Purpose';
comment on column ops.read_audit.rows is 'Số dòng đã đọc | Rows read';
comment on column ops.read_audit.query_hash is 'SHA-256 của câu lệnh | SHA-256 of the statement';
comment on column ops.read_audit.transaction_id is 'Giao dịch đã ghi dòng này | Transaction that wrote the row';

comment on table ops.operation is 'Nhật ký vận hành: sao lưu, phục hồi, lưu giữ, khóa | Operations: backup, restore, retention, keys';
comment on column ops.operation.operation_id is 'Số thứ tự | Number of the entry';
comment on column ops.operation.at is 'Thời điểm | At';
comment on column ops.operation.kind is 'Loại việc | Kind of operation';
comment on column ops.operation.who is 'Tài khoản đăng nhập | Login';
comment on column ops.operation.details is 'Chi tiết: ai ở hệ điều hành, số lượng, phiên bản | Details: user of the operating system, counts, versions';

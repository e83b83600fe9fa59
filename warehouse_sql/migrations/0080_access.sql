-- Who may log in, with which rights and until when: what `dx access grant` and `dx access revoke` write down.
--   dx_department_analyst  beside a department's role: the dimensions of the star, so that the department's own rows
--                          of the facts (0081) can be joined
--   dx_level:<level>       the departments' roles of one level: province, department, district, commune

do $$
declare
    role_name text;
begin
    foreach role_name in array array[
        'dx_department_analyst', 'dx_level:province', 'dx_level:department', 'dx_level:district', 'dx_level:commune'
    ] loop
        if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception
                -- Roles belong to the cluster: another database may have made it a moment ago.
                when duplicate_object or unique_violation then null;
            end;
        end if;
        -- As in 0015.
        if not pg_has_role(current_user, role_name, 'SET') then
            begin
                execute format('grant %I to %I with inherit false, set true', role_name, current_user);
            exception
                when insufficient_privilege then
                    raise exception
                        'the owner % may not take role %: have an administrator of the server run '
                        '"grant % to % with admin true, inherit false, set true"',
                        current_user,
                        role_name,
                        quote_ident(role_name),
                        quote_ident(current_user)
                        using errcode = 'insufficient_privilege';
            end;
        end if;
    end loop;
end;
$$;

-- Grain: one row per right given to a login. A login has one right at a time; a new one ends the one before. The rows
-- of ended rights stay.
create table if not exists ops.access_grant (
    grant_id bigint generated always as identity primary key,
    login text not null,
    kind text not null
        constraint access_grant_kind_known check (kind in ('analyst', 'department', 'bi', 'engineer', 'auditor')),
    agencies text[] not null default '{}',
    roles text[] not null,
    holder text not null
        constraint access_grant_holder_told check (length(btrim(holder)) between 3 and 200),
    granted_at timestamptz not null default now(),
    granted_by text not null,
    valid_until timestamptz not null,
    ended_at timestamptz,
    ended_by text,
    end_reason text
        constraint access_grant_end_known check (end_reason in ('revoked', 'lapsed', 'replaced')),
    constraint access_grant_end_has_reason check ((ended_at is null) = (end_reason is null)),
    constraint access_grant_department_has_agency check (kind <> 'department' or cardinality(agencies) > 0)
);

create unique index if not exists access_grant_one_at_a_time on ops.access_grant (login) where ended_at is null;

comment on table ops.access_grant is 'Quyền đã cấp cho từng tài khoản, có thời hạn | Rights given to logins, each until a day';
comment on column ops.access_grant.grant_id is 'Số thứ tự | Number of the right';
comment on column ops.access_grant.login is 'Tài khoản đăng nhập | Login';
comment on column ops.access_grant.kind is 'Loại quyền: analyst, department, bi, engineer, auditor | Kind of right';
comment on column ops.access_grant.agencies is 'Mã cơ quan được xem dòng riêng; trống là toàn tỉnh | Agencies whose own rows are seen; empty for the whole province';
comment on column ops.access_grant.roles is 'Vai trò nhóm được gán | Group roles given';
comment on column ops.access_grant.holder is 'Người hoặc dịch vụ sử dụng, mục đích | Person or service that uses it, and what for';
comment on column ops.access_grant.granted_at is 'Cấp lúc | Given at';
comment on column ops.access_grant.granted_by is 'Người cấp (tài khoản hệ điều hành) | Given by (user of the operating system)';
comment on column ops.access_grant.valid_until is 'Hết hạn lúc | Ends at';
comment on column ops.access_grant.ended_at is 'Đã chấm dứt lúc | Ended at';
comment on column ops.access_grant.ended_by is 'Người chấm dứt | Ended by';
comment on column ops.access_grant.end_reason is 'Lý do: revoked thu hồi, lapsed hết hạn, replaced thay quyền mới | Reason of the end';

grant select on ops.access_grant to dx_engineer, dx_auditor;

alter table ops.operation drop constraint if exists operation_kind_known;
alter table ops.operation add constraint operation_kind_known check (
    kind in (
        'backup',
        'restore',
        'retention',
        'key_rotation',
        'key_deletion',
        'access_grant',
        'access_revoke',
        'access_lapse',
        'access_roles'
    )
);

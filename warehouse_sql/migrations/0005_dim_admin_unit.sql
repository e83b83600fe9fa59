-- Administrative units of old Quảng Trị, old Quảng Bình and the merged province, with their validity.
-- Codes are reused (44 was Quảng Bình and is Quảng Trị since 2025-07-01): the natural key is (level, code, valid_from).
-- The reference files give an inclusive last day and leave the first day of old units empty; here validity is half-open
-- and starts at 1900-01-01 when it is not known.

create table if not exists ops.reference_admin_unit (
    level text not null,
    code text not null,
    name text not null,
    unit_type text,
    name_ascii text,
    parent_code text,
    province_code text,
    valid_from date,
    valid_to date,
    source text,
    note text
);

create table if not exists ops.reference_admin_unit_crosswalk (
    event_date date not null,
    from_code text not null,
    from_name text,
    from_district text,
    to_code text not null,
    to_name text,
    share text not null,
    confidence text,
    evidence text
);

-- dx:copy ops.reference_admin_unit(level, code, name, unit_type, name_ascii, parent_code, province_code, valid_from, valid_to, source, note) from reference/admin_units.csv
-- dx:copy ops.reference_admin_unit_crosswalk(event_date, from_code, from_name, from_district, to_code, to_name, share, confidence, evidence) from reference/admin_units_crosswalk.csv

-- Grain: one row per unit and validity.
create table if not exists core.dim_admin_unit (
    admin_unit_sk integer generated always as identity primary key,
    level text not null,
    code text not null,
    name text not null,
    unit_type text,
    name_ascii text,
    parent_code text,
    parent_sk integer references core.dim_admin_unit (admin_unit_sk),
    province_code text,
    valid_from date not null,
    valid_to date not null,
    is_current boolean not null,
    source text,
    note text,
    constraint dim_admin_unit_natural_key unique (level, code, valid_from),
    constraint dim_admin_unit_validity check (valid_from < valid_to)
);

insert into core.dim_admin_unit (
    admin_unit_sk,
    level,
    code,
    name,
    valid_from,
    valid_to,
    is_current
)
overriding system value
values
(-1, 'unknown', '-1', 'Không xác định | Unknown', '1900-01-01', '9999-12-31', true),
(-2, 'unknown', '-2', 'Không áp dụng | Not applicable', '1900-01-01', '9999-12-31', true);

insert into core.dim_admin_unit (
    level,
    code,
    name,
    unit_type,
    name_ascii,
    parent_code,
    province_code,
    valid_from,
    valid_to,
    is_current,
    source,
    note
)
select
    r.level,
    r.code,
    r.name,
    r.unit_type,
    r.name_ascii,
    r.parent_code,
    r.province_code,
    coalesce(r.valid_from, date '1900-01-01') as valid_from,
    coalesce(r.valid_to + 1, date '9999-12-31') as valid_to,
    r.valid_to is null as is_current,
    r.source,
    r.note
from ops.reference_admin_unit as r
order by
    case r.level when 'province' then 1 when 'district' then 2 else 3 end,
    r.code,
    r.valid_from nulls first;

-- The parent of a unit that outlived its parent is the parent in force on the unit's last day.
update core.dim_admin_unit as u
set parent_sk = p.admin_unit_sk
from core.dim_admin_unit as p
where
    u.parent_code is not null
    and p.code = u.parent_code
    and p.level = case when length(u.parent_code) = 2 then 'province' else 'district' end
    and u.valid_to - 1 >= p.valid_from
    and u.valid_to - 1 < p.valid_to;

-- Grain: one row per pair (unit, unit above it or itself).
create table if not exists core.bridge_admin_unit_closure (
    ancestor_sk integer not null references core.dim_admin_unit (admin_unit_sk),
    descendant_sk integer not null references core.dim_admin_unit (admin_unit_sk),
    distance smallint not null,
    primary key (ancestor_sk, descendant_sk)
);

insert into core.bridge_admin_unit_closure (
    ancestor_sk,
    descendant_sk,
    distance
)
with recursive line as (
    select
        u.admin_unit_sk as ancestor_sk,
        u.admin_unit_sk as descendant_sk,
        u.parent_sk,
        0 as distance
    from core.dim_admin_unit as u
    union all
    select
        p.admin_unit_sk,
        l.descendant_sk,
        p.parent_sk,
        l.distance + 1 as distance
    from line as l
    inner join core.dim_admin_unit as p on l.parent_sk = p.admin_unit_sk
)

select
    line.ancestor_sk,
    line.descendant_sk,
    line.distance
from line;

-- Grain: one row per reorganisation date, commune before and commune after.
create table if not exists core.bridge_admin_unit_crosswalk (
    event_date date not null,
    from_code text not null,
    to_code text not null,
    from_sk integer not null references core.dim_admin_unit (admin_unit_sk),
    to_sk integer not null references core.dim_admin_unit (admin_unit_sk),
    share text not null,
    weight numeric(7, 6),
    confidence text,
    evidence text,
    primary key (event_date, from_code, to_code)
);

insert into core.bridge_admin_unit_crosswalk (
    event_date,
    from_code,
    to_code,
    from_sk,
    to_sk,
    share,
    weight,
    confidence,
    evidence
)
select
    r.event_date,
    r.from_code,
    r.to_code,
    coalesce(f.admin_unit_sk, -1) as from_sk,
    coalesce(t.admin_unit_sk, -1) as to_sk,
    r.share,
    case r.share when 'full' then 1 end as weight,
    r.confidence,
    r.evidence
from ops.reference_admin_unit_crosswalk as r
-- Cồn Cỏ was a district without communes before it became a special zone, so a district may be the "before".
left join core.dim_admin_unit as f
    on
        r.from_code = f.code
        and f.level = case when length(r.from_code) = 3 then 'district' else 'commune' end
        and r.event_date - 1 >= f.valid_from
        and r.event_date - 1 < f.valid_to
left join core.dim_admin_unit as t
    on
        r.to_code = t.code
        and t.level = 'commune'
        and r.event_date >= t.valid_from
        and r.event_date < t.valid_to;

comment on table ops.reference_admin_unit is 'Danh mục đơn vị hành chính như trong tệp tham chiếu | Administrative units as in the reference file';
comment on column ops.reference_admin_unit.level is 'Cấp | Level';
comment on column ops.reference_admin_unit.code is 'Mã của cơ quan thống kê | Code of the statistics office';
comment on column ops.reference_admin_unit.name is 'Tên | Name';
comment on column ops.reference_admin_unit.unit_type is 'Loại đơn vị | Kind of unit';
comment on column ops.reference_admin_unit.name_ascii is 'Tên không dấu | Name without marks';
comment on column ops.reference_admin_unit.parent_code is 'Mã đơn vị cấp trên | Code of the unit above';
comment on column ops.reference_admin_unit.province_code is 'Mã tỉnh | Code of the province';
comment on column ops.reference_admin_unit.valid_from is 'Hiệu lực từ ngày, trống nếu không rõ | First day, empty when unknown';
comment on column ops.reference_admin_unit.valid_to is 'Ngày hiệu lực cuối cùng | Last day';
comment on column ops.reference_admin_unit.source is 'Nguồn | Source';
comment on column ops.reference_admin_unit.note is 'Ghi chú | Note';

comment on table ops.reference_admin_unit_crosswalk is 'Chuyển đổi đơn vị hành chính như trong tệp tham chiếu | Crosswalk of units as in the reference file';
comment on column ops.reference_admin_unit_crosswalk.event_date is 'Ngày sắp xếp | Day of the reorganisation';
comment on column ops.reference_admin_unit_crosswalk.from_code is 'Mã cũ | Code before';
comment on column ops.reference_admin_unit_crosswalk.from_name is 'Tên cũ | Name before';
comment on column ops.reference_admin_unit_crosswalk.from_district is 'Huyện cũ | District before';
comment on column ops.reference_admin_unit_crosswalk.to_code is 'Mã mới | Code after';
comment on column ops.reference_admin_unit_crosswalk.to_name is 'Tên mới | Name after';
comment on column ops.reference_admin_unit_crosswalk.share is 'Toàn bộ hay một phần | full or partial';
comment on column ops.reference_admin_unit_crosswalk.confidence is 'Độ tin cậy | Confidence';
comment on column ops.reference_admin_unit_crosswalk.evidence is 'Căn cứ | Evidence';

comment on table core.dim_admin_unit is 'Chiều đơn vị hành chính theo thời gian hiệu lực | Administrative units by validity';
comment on column core.dim_admin_unit.admin_unit_sk is 'Khóa thay thế; -1 không xác định, -2 không áp dụng | Surrogate key; -1 unknown, -2 not applicable';
comment on column core.dim_admin_unit.level is 'Cấp: province, district, commune | Level';
comment on column core.dim_admin_unit.code is 'Mã của cơ quan thống kê; có thể được dùng lại | Code of the statistics office; may be reused';
comment on column core.dim_admin_unit.name is 'Tên đầy đủ | Full name';
comment on column core.dim_admin_unit.unit_type is 'Xã, phường, thị trấn, huyện, tỉnh, đặc khu | Kind of unit';
comment on column core.dim_admin_unit.name_ascii is 'Tên không dấu, chỉ để tìm kiếm | Name without marks, for searching only';
comment on column core.dim_admin_unit.parent_code is 'Mã đơn vị cấp trên | Code of the unit above';
comment on column core.dim_admin_unit.parent_sk is 'Khóa đơn vị cấp trên | Key of the unit above';
comment on column core.dim_admin_unit.province_code is 'Mã tỉnh | Code of the province';
comment on column core.dim_admin_unit.valid_from is 'Hiệu lực từ ngày; 1900-01-01 nếu không rõ | Valid from; 1900-01-01 when unknown';
comment on column core.dim_admin_unit.valid_to is 'Hết hiệu lực từ ngày (không bao gồm) | Valid until, exclusive';
comment on column core.dim_admin_unit.is_current is 'Đang có hiệu lực | In force now';
comment on column core.dim_admin_unit.source is 'Nguồn | Source';
comment on column core.dim_admin_unit.note is 'Ghi chú | Note';

comment on table core.bridge_admin_unit_closure is 'Quan hệ trên dưới của đơn vị hành chính | Every pair of a unit and a unit above it';
comment on column core.bridge_admin_unit_closure.ancestor_sk is 'Đơn vị cấp trên (hoặc chính nó) | The unit above (or itself)';
comment on column core.bridge_admin_unit_closure.descendant_sk is 'Đơn vị cấp dưới | The unit below';
comment on column core.bridge_admin_unit_closure.distance is 'Số cấp cách nhau | Levels between them';

comment on table core.bridge_admin_unit_crosswalk is 'Chuyển đổi xã trước và sau sắp xếp | Communes before and after a reorganisation';
comment on column core.bridge_admin_unit_crosswalk.event_date is 'Ngày sắp xếp | Day of the reorganisation';
comment on column core.bridge_admin_unit_crosswalk.from_code is 'Mã trước | Code before';
comment on column core.bridge_admin_unit_crosswalk.to_code is 'Mã sau | Code after';
comment on column core.bridge_admin_unit_crosswalk.from_sk is 'Đơn vị trước | Unit before';
comment on column core.bridge_admin_unit_crosswalk.to_sk is 'Đơn vị sau | Unit after';
comment on column core.bridge_admin_unit_crosswalk.share is 'Toàn bộ hay một phần | full or partial';
comment on column core.bridge_admin_unit_crosswalk.weight is 'Tỷ lệ phân bổ; trống khi không phân bổ được | Share to apportion; empty when it cannot be apportioned';
comment on column core.bridge_admin_unit_crosswalk.confidence is 'Độ tin cậy | Confidence';
comment on column core.bridge_admin_unit_crosswalk.evidence is 'Căn cứ | Evidence';

grant select on ops.reference_admin_unit to dx_engineer;
grant select on ops.reference_admin_unit_crosswalk to dx_engineer;
grant select on core.dim_admin_unit to dx_loader, dx_engineer, dx_analyst;
grant select on core.bridge_admin_unit_closure to dx_loader, dx_engineer, dx_analyst;
grant select on core.bridge_admin_unit_crosswalk to dx_loader, dx_engineer, dx_analyst;

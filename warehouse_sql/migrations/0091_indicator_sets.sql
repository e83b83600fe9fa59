-- Sets of indicators with their components, maxima and targets: data with validity, loaded from assets/indicator_sets
-- or from a file by an operator. A revision is never changed: another content is the next revision.

-- Grain: one row per set and revision of its content.
create table if not exists core.indicator_set_revision (
    set_code text not null,
    revision integer not null,
    name_vi text not null,
    name_en text not null,
    source_vi text not null,
    source_en text not null,
    note_vi text,
    note_en text,
    valid_from date not null,
    valid_to date not null,
    total_points numeric,
    ranked_from_share numeric not null default 0,
    state text not null,
    is_assessed boolean not null,
    content_hash text not null,
    loaded_at timestamptz not null,
    loaded_by text not null,
    constraint indicator_set_revision_pkey primary key (set_code, revision),
    constraint indicator_set_revision_state_known check (state in ('complete', 'partial', 'placeholder')),
    constraint indicator_set_revision_interval check (valid_from < valid_to)
);

-- Grain: one row per component of a revision of a set.
create table if not exists core.indicator_component_revision (
    set_code text not null,
    revision integer not null,
    position integer not null,
    group_code text not null,
    group_name_vi text not null,
    group_name_en text not null,
    group_max_points numeric,
    component_code text not null,
    component_number text,
    name_vi text not null,
    name_en text not null,
    max_points numeric,
    target numeric not null,
    measure text,
    indicator text,
    scopes text[] not null,
    why_vi text,
    why_en text,
    constraint indicator_component_revision_pkey primary key (set_code, revision, component_code)
);

-- Grain: one row per set, unit and stretch of days in which the unit is not ranked.
create table if not exists core.ranking_exclusion (
    set_code text not null,
    unit_code text not null,
    valid_from date not null,
    valid_to date not null,
    reason text not null,
    decided_by text not null,
    loaded_at timestamptz not null,
    constraint ranking_exclusion_pkey primary key (set_code, unit_code, valid_from, loaded_at)
);

create or replace view core.dim_indicator_set with (security_invoker = true) as
select distinct on (r.set_code) r.*
from core.indicator_set_revision as r
order by
    r.set_code asc,
    r.revision desc;

create or replace view core.dim_indicator_component with (security_invoker = true) as
select c.*
from core.indicator_component_revision as c
inner join core.dim_indicator_set as s on c.set_code = s.set_code and c.revision = s.revision;

create or replace function core.dim_indicator_set_as_known(at timestamptz)
returns setof core.dim_indicator_set
language sql
stable
as $$
    select distinct on (r.set_code) r.*
    from core.indicator_set_revision as r
    where r.loaded_at <= at
    order by
        r.set_code asc,
        r.revision desc
$$;

create or replace function core.dim_indicator_component_as_known(at timestamptz)
returns setof core.dim_indicator_component
language sql
stable
as $$
    select c.*
    from core.indicator_component_revision as c
    inner join core.dim_indicator_set_as_known(at) as s on c.set_code = s.set_code and c.revision = s.revision
$$;

create or replace function core.ranking_exclusion_as_known(at timestamptz)
returns setof core.ranking_exclusion
language sql
stable
as $$
    select e.*
    from core.ranking_exclusion as e
    where e.loaded_at <= at
$$;

revoke all on function core.dim_indicator_set_as_known(timestamptz) from public;
grant execute on function core.dim_indicator_set_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
revoke all on function core.dim_indicator_component_as_known(timestamptz) from public;
grant execute on function core.dim_indicator_component_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
revoke all on function core.ranking_exclusion_as_known(timestamptz) from public;
grant execute on function core.ranking_exclusion_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;

comment on function core.dim_indicator_set_as_known(timestamptz) is 'Bộ chỉ số như kho biết tại một thời điểm | Indicator sets as known at an instant';
comment on function core.dim_indicator_component_as_known(timestamptz) is 'Chỉ số thành phần như kho biết tại một thời điểm | Components as known at an instant';
comment on function core.ranking_exclusion_as_known(timestamptz) is 'Đơn vị không xếp hạng như kho biết tại một thời điểm | Units not ranked as known at an instant';
comment on table core.indicator_set_revision is 'Các lần nạp bộ chỉ số, không bao giờ ghi đè | Revisions of indicator sets, never overwritten';
comment on column core.indicator_set_revision.set_code is 'Mã bộ chỉ số và phiên bản | Code of the set and its version';
comment on column core.indicator_set_revision.revision is 'Lần nạp nội dung, từ 1 | Revision of the content, from 1';
comment on column core.indicator_set_revision.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.indicator_set_revision.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.indicator_set_revision.source_vi is 'Văn bản | Legal text';
comment on column core.indicator_set_revision.source_en is 'Văn bản, tiếng Anh | Legal text in English';
comment on column core.indicator_set_revision.note_vi is 'Ghi chú | Note';
comment on column core.indicator_set_revision.note_en is 'Ghi chú, tiếng Anh | Note in English';
comment on column core.indicator_set_revision.valid_from is 'Có hiệu lực từ ngày | Valid from';
comment on column core.indicator_set_revision.valid_to is 'Hết hiệu lực từ ngày (không bao gồm) | Valid until, exclusive';
comment on column core.indicator_set_revision.total_points is 'Tổng điểm; trống nếu chỉ theo dõi | Points in all; empty when only followed';
comment on column core.indicator_set_revision.ranked_from_share is 'Phần điểm đo được phải áp dụng thì mới xếp hạng (0..1) | Share of the measured points that must apply for a rank (0..1)';
comment on column core.indicator_set_revision.state is 'complete đủ, partial một phần, placeholder chưa có | complete, partial or placeholder';
comment on column core.indicator_set_revision.is_assessed is 'Điểm do người chấm | Scored by people';
comment on column core.indicator_set_revision.content_hash is 'SHA-256 của nội dung | SHA-256 of the content';
comment on column core.indicator_set_revision.loaded_at is 'Thời điểm nạp | Loaded at';
comment on column core.indicator_set_revision.loaded_by is 'Ai nạp | Who loaded it';

comment on table core.indicator_component_revision is 'Chỉ số thành phần của từng lần nạp | Components of each revision';
comment on column core.indicator_component_revision.set_code is 'Mã bộ chỉ số và phiên bản | Code of the set and its version';
comment on column core.indicator_component_revision.revision is 'Lần nạp nội dung, từ 1 | Revision of the content, from 1';
comment on column core.indicator_component_revision.position is 'Thứ tự | Order';
comment on column core.indicator_component_revision.group_code is 'Mã nhóm | Code of the group';
comment on column core.indicator_component_revision.group_name_vi is 'Tên nhóm | Name of the group';
comment on column core.indicator_component_revision.group_name_en is 'Tên nhóm, tiếng Anh | Name of the group in English';
comment on column core.indicator_component_revision.group_max_points is 'Điểm tối đa của nhóm | Points of the group';
comment on column core.indicator_component_revision.component_code is 'Mã thành phần | Code of the component';
comment on column core.indicator_component_revision.component_number is 'Số trong văn bản | Number in the legal text';
comment on column core.indicator_component_revision.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.indicator_component_revision.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.indicator_component_revision.max_points is 'Điểm tối đa; trống nếu chỉ theo dõi | Most points; empty when only followed';
comment on column core.indicator_component_revision.target is 'Tỷ lệ đạt điểm tối đa (0..1) | Share from which full points are given (0..1)';
comment on column core.indicator_component_revision.measure is 'Phép đo của kho; trống nếu chưa có nguồn | Measure of the warehouse; empty without a source';
comment on column core.indicator_component_revision.indicator is 'Chỉ số theo dõi | Indicator that is followed';
comment on column core.indicator_component_revision.scopes is 'Phạm vi được tính; rỗng là tất cả | Scopes it is scored for; empty for all';
comment on column core.indicator_component_revision.why_vi is 'Vì sao chưa đo được, hoặc đo khác văn bản | Why it is not measured, or measured otherwise';
comment on column core.indicator_component_revision.why_en is 'Như trên, tiếng Anh | The same in English';

comment on table core.ranking_exclusion is 'Đơn vị không xếp hạng, không phải 0 điểm | Units left out of the ranking, which is not 0 points';
comment on column core.ranking_exclusion.set_code is 'Mã bộ chỉ số và phiên bản | Code of the set and its version';
comment on column core.ranking_exclusion.unit_code is 'Mã đơn vị | Code of the unit';
comment on column core.ranking_exclusion.valid_from is 'Từ ngày | From';
comment on column core.ranking_exclusion.valid_to is 'Đến trước ngày | Until, exclusive';
comment on column core.ranking_exclusion.reason is 'Lý do | Reason';
comment on column core.ranking_exclusion.decided_by is 'Ai quyết định | Who decided';
comment on column core.ranking_exclusion.loaded_at is 'Thời điểm ghi | Recorded at';

comment on view core.dim_indicator_set is 'Chiều bộ chỉ số, lần nạp mới nhất | Indicator sets, newest revision';
comment on column core.dim_indicator_set.set_code is 'Mã bộ chỉ số và phiên bản | Code of the set and its version';
comment on column core.dim_indicator_set.revision is 'Lần nạp nội dung, từ 1 | Revision of the content, from 1';
comment on column core.dim_indicator_set.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_indicator_set.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_indicator_set.source_vi is 'Văn bản | Legal text';
comment on column core.dim_indicator_set.source_en is 'Văn bản, tiếng Anh | Legal text in English';
comment on column core.dim_indicator_set.note_vi is 'Ghi chú | Note';
comment on column core.dim_indicator_set.note_en is 'Ghi chú, tiếng Anh | Note in English';
comment on column core.dim_indicator_set.valid_from is 'Có hiệu lực từ ngày | Valid from';
comment on column core.dim_indicator_set.valid_to is 'Hết hiệu lực từ ngày (không bao gồm) | Valid until, exclusive';
comment on column core.dim_indicator_set.total_points is 'Tổng điểm; trống nếu chỉ theo dõi | Points in all; empty when only followed';
comment on column core.dim_indicator_set.ranked_from_share is 'Phần điểm đo được phải áp dụng thì mới xếp hạng (0..1) | Share of the measured points that must apply for a rank (0..1)';
comment on column core.dim_indicator_set.state is 'complete đủ, partial một phần, placeholder chưa có | complete, partial or placeholder';
comment on column core.dim_indicator_set.is_assessed is 'Điểm do người chấm | Scored by people';
comment on column core.dim_indicator_set.content_hash is 'SHA-256 của nội dung | SHA-256 of the content';
comment on column core.dim_indicator_set.loaded_at is 'Thời điểm nạp | Loaded at';
comment on column core.dim_indicator_set.loaded_by is 'Ai nạp | Who loaded it';

comment on view core.dim_indicator_component is 'Chiều chỉ số thành phần, lần nạp mới nhất | Components, newest revision';
comment on column core.dim_indicator_component.set_code is 'Mã bộ chỉ số và phiên bản | Code of the set and its version';
comment on column core.dim_indicator_component.revision is 'Lần nạp nội dung, từ 1 | Revision of the content, from 1';
comment on column core.dim_indicator_component.position is 'Thứ tự | Order';
comment on column core.dim_indicator_component.group_code is 'Mã nhóm | Code of the group';
comment on column core.dim_indicator_component.group_name_vi is 'Tên nhóm | Name of the group';
comment on column core.dim_indicator_component.group_name_en is 'Tên nhóm, tiếng Anh | Name of the group in English';
comment on column core.dim_indicator_component.group_max_points is 'Điểm tối đa của nhóm | Points of the group';
comment on column core.dim_indicator_component.component_code is 'Mã thành phần | Code of the component';
comment on column core.dim_indicator_component.component_number is 'Số trong văn bản | Number in the legal text';
comment on column core.dim_indicator_component.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_indicator_component.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_indicator_component.max_points is 'Điểm tối đa; trống nếu chỉ theo dõi | Most points; empty when only followed';
comment on column core.dim_indicator_component.target is 'Tỷ lệ đạt điểm tối đa (0..1) | Share from which full points are given (0..1)';
comment on column core.dim_indicator_component.measure is 'Phép đo của kho; trống nếu chưa có nguồn | Measure of the warehouse; empty without a source';
comment on column core.dim_indicator_component.indicator is 'Chỉ số theo dõi | Indicator that is followed';
comment on column core.dim_indicator_component.scopes is 'Phạm vi được tính; rỗng là tất cả | Scopes it is scored for; empty for all';
comment on column core.dim_indicator_component.why_vi is 'Vì sao chưa đo được, hoặc đo khác văn bản | Why it is not measured, or measured otherwise';
comment on column core.dim_indicator_component.why_en is 'Như trên, tiếng Anh | The same in English';

grant select, insert on core.indicator_set_revision to dx_loader;
grant select on core.indicator_set_revision to dx_engineer, dx_analyst;
grant select, insert on core.indicator_component_revision to dx_loader;
grant select on core.indicator_component_revision to dx_engineer, dx_analyst;
grant select, insert on core.ranking_exclusion to dx_loader;
grant select on core.ranking_exclusion to dx_engineer, dx_analyst;
grant select on core.dim_indicator_set to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_indicator_component to dx_loader, dx_engineer, dx_analyst;

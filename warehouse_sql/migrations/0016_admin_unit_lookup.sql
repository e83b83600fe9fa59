-- Find the commune a source means: by code and day, or by name, district and day. Never a guess: what is not certain
-- gives no key and a reason.
--
-- A load joins core.commune_by_code or core.commune_by_name. Each has one row per thing looked up, so the join can
-- neither lose nor double a row; the answer is cut out by the day:
--     u.admin_unit_sks[width_bucket(day, u.starts)]
-- One question at a time is asked of core.resolve_commune(code, day) or core.resolve_commune(name, district, day).
--
-- Reasons, by code: code_missing, day_missing, unknown_code, not_in_force_that_day;
-- by name: name_missing, day_missing, unknown_name, not_a_commune (the name says huyện, tỉnh, ...), kind_differs (there
-- is a phường, not a xã, of that name), unknown_district, unknown_province, not_in_that_district,
-- not_in_force_that_day, district_needed, kind_needed, ambiguous_name. A key and a reason come together in one case:
-- district_without_communes, the island district Cồn Cỏ before 2025-07-01; the key is the district's.

-- Spellings and codes that are in use beside those of the catalogue.
create table if not exists ops.reference_commune_variant (
    code text not null,
    in_force_on date not null,
    variant_name text,
    variant_code text,
    valid_from date,
    valid_to date,
    source text
);

-- dx:copy ops.reference_commune_variant(code, in_force_on, variant_name, variant_code, valid_from, valid_to, source) from reference/commune_variants.csv

-- A name as it is compared: lower case, one kind of đ, one space between words, composed letters, and the tone mark of
-- oa, oe, uy on the second vowel (hòa = hoà). The marks themselves count: Quảng Tiên is not Quảng Tiến. Letters are
-- taken apart first, so that lower case does not depend on the locale of the server.
create or replace function core.folded_name(name text)
returns text
language sql
immutable
parallel safe
return btrim(
    regexp_replace(
        normalize(
            regexp_replace(
                regexp_replace(
                    translate(lower(normalize(name, nfd) collate "C"), 'ĐÐð', 'đđđ'),
                    '(o)([\u0300\u0301\u0303\u0309\u0323])([ae])',
                    '\1\3\2',
                    'g'
                ),
                '(u)([\u0300\u0301\u0303\u0309\u0323])(y)',
                '\1\3\2',
                'g'
            ),
            nfc
        ),
        '[\s.,\u00a0\u2000-\u200b\u202f\u3000\ufeff]+',
        ' ',
        'g'
    )
);

-- The kind of unit a name begins with (xã, phường, thị trấn, đặc khu, huyện, ...), also abbreviated, or null.
create or replace function core.admin_name_kind(name text)
returns text
language sql
immutable
parallel safe
return case
    substring(
        core.folded_name(name)
        from '^(xã|x|phường|p|thị trấn|tt|đặc khu|đk|huyện đảo|huyện|h|thị xã|tx|thành phố|tp|tỉnh) .'
    )
    when 'xã' then 'xã'
    when 'x' then 'xã'
    when 'phường' then 'phường'
    when 'p' then 'phường'
    when 'thị trấn' then 'thị trấn'
    when 'tt' then 'thị trấn'
    when 'đặc khu' then 'đặc khu'
    when 'đk' then 'đặc khu'
    when 'huyện đảo' then 'huyện'
    when 'huyện' then 'huyện'
    when 'h' then 'huyện'
    when 'thị xã' then 'thị xã'
    when 'tx' then 'thị xã'
    when 'thành phố' then 'thành phố'
    when 'tp' then 'thành phố'
    when 'tỉnh' then 'tỉnh'
end;

-- The name without the kind and, for numbered wards, without a leading zero: Phường 01 -> 1.
create or replace function core.admin_name_key(name text)
returns text
language sql
immutable
parallel safe
return nullif(
    regexp_replace(
        regexp_replace(
            core.folded_name(name),
            '^(xã|x|phường|p|thị trấn|tt|đặc khu|đk|huyện đảo|huyện|h|thị xã|tx|thành phố|tp|tỉnh) (?=.)',
            ''
        ),
        '^0+(?=\d)',
        ''
    ),
    ''
);

-- Grain: one row per commune version (or district without communes) and spelling of its name.
create table if not exists core.commune_name (
    admin_unit_sk integer not null references core.dim_admin_unit (admin_unit_sk),
    name text not null,
    name_key text not null,
    kind text not null,
    code text not null,
    district_code text,
    district_keys text[] not null,
    province_code text not null,
    valid_from date not null,
    valid_to date not null,
    is_variant boolean not null,
    note text,
    primary key (admin_unit_sk, name)
);

-- Grain: one row per code of a commune, of the catalogue or a variant.
create table if not exists core.commune_by_code (
    code text primary key,
    starts date[] not null,
    admin_unit_sks integer[] not null,
    reasons text[] not null
);

-- Grain: one row per name, kind, district and province asked for; '' is "not said".
create table if not exists core.commune_by_name (
    name_key text not null,
    kind text not null,
    district_key text not null,
    province_code text not null,
    starts date[] not null,
    admin_unit_sks integer[] not null,
    reasons text[] not null,
    primary key (name_key, kind, district_key, province_code)
);

-- Fills the three tables from core.dim_admin_unit. A migration that adds units or variants calls it at its end.
create or replace function core.refresh_commune_lookup()
returns bigint
language plpgsql
as $$
declare
    filled bigint;
begin
    delete from core.commune_by_name;
    delete from core.commune_by_code;
    delete from core.commune_name;

    with unit as (
        select
            u.*,
            u.level = 'district' as is_district
        from core.dim_admin_unit as u
        left join (
            select distinct c.parent_sk
            from core.dim_admin_unit as c
            where c.level = 'commune'
        ) as parent on u.admin_unit_sk = parent.parent_sk
        where u.level = 'commune' or (u.level = 'district' and parent.parent_sk is null)
    ),

    spelling as (
        select
            u.admin_unit_sk,
            u.name,
            false as is_variant
        from core.dim_admin_unit as u
        where u.admin_unit_sk > 0
        union
        select
            u.admin_unit_sk,
            v.variant_name,
            true as is_variant
        from ops.reference_commune_variant as v
        inner join core.dim_admin_unit as u
            on v.code = u.code and v.in_force_on >= u.valid_from and v.in_force_on < u.valid_to
        where v.variant_name is not null
    ),

    district as (
        select
            d.admin_unit_sk,
            d.code,
            array_agg(distinct core.admin_name_key(s.name)) || d.code as keys
        from core.dim_admin_unit as d
        inner join spelling as s on d.admin_unit_sk = s.admin_unit_sk
        where d.level = 'district'
        group by
            d.admin_unit_sk,
            d.code
    )

    insert into core.commune_name (
        admin_unit_sk,
        name,
        name_key,
        kind,
        code,
        district_code,
        district_keys,
        province_code,
        valid_from,
        valid_to,
        is_variant,
        note
    )
    select
        u.admin_unit_sk,
        s.name,
        core.admin_name_key(s.name) as name_key,
        core.admin_name_kind(s.name) as kind,
        u.code,
        d.code as district_code,
        coalesce(d.keys, '{}') as district_keys,
        u.province_code,
        u.valid_from,
        u.valid_to,
        s.is_variant,
        case when u.is_district then 'district_without_communes' end as note
    from unit as u
    inner join spelling as s on u.admin_unit_sk = s.admin_unit_sk
    left join district as d on d.admin_unit_sk = case when u.is_district then u.admin_unit_sk else u.parent_sk end;

    with meaning as (
        select distinct
            n.code,
            n.admin_unit_sk,
            n.valid_from,
            n.valid_to,
            n.note
        from core.commune_name as n
        union
        select
            v.variant_code,
            u.admin_unit_sk,
            greatest(v.valid_from, u.valid_from),
            least(v.valid_to + 1, u.valid_to),
            null as note
        from ops.reference_commune_variant as v
        inner join core.dim_admin_unit as u
            on v.code = u.code and v.in_force_on >= u.valid_from and v.in_force_on < u.valid_to
        where v.variant_code is not null
    ),

    boundary as (
        select
            m.code,
            m.valid_from as start
        from meaning as m
        union
        select
            m.code,
            m.valid_to
        from meaning as m
        where m.valid_to < date '9999-12-31'
    ),

    -- Two meanings of one code on one day would be a mistake in the reference files: no key then.
    answer as (
        select
            b.code,
            b.start,
            case when count(m.admin_unit_sk) = 1 then min(m.admin_unit_sk) end as admin_unit_sk,
            case count(m.admin_unit_sk)
                when 0 then 'not_in_force_that_day'
                when 1 then min(m.note)
                else 'ambiguous_code'
            end as reason
        from boundary as b
        left join meaning as m on b.code = m.code and b.start >= m.valid_from and b.start < m.valid_to
        group by
            b.code,
            b.start
    )

    insert into core.commune_by_code (code, starts, admin_unit_sks, reasons)
    select
        a.code,
        array_agg(a.start order by a.start) as starts,
        array_agg(a.admin_unit_sk order by a.start) as admin_unit_sks,
        array_agg(a.reason order by a.start) as reasons
    from answer as a
    group by a.code;

    -- Every way a unit may be asked for: with or without kind, with or without district (by name or code) and province.
    with meaning as (
        select
            n.name_key,
            asked_kind.kind,
            asked_district.district_key,
            asked_province.province_code,
            n.admin_unit_sk,
            n.kind as own_kind,
            coalesce(n.district_code, '') as own_district,
            n.valid_from,
            n.valid_to,
            n.note
        from core.commune_name as n
        cross join lateral (values (''), (n.kind)) as asked_kind (kind)
        cross join lateral unnest(array[''] || n.district_keys) as asked_district (district_key)
        cross join lateral (values (''), (n.province_code)) as asked_province (province_code)
    ),

    boundary as (
        select
            m.name_key,
            m.kind,
            m.district_key,
            m.province_code,
            m.valid_from as start
        from meaning as m
        union
        select
            m.name_key,
            m.kind,
            m.district_key,
            m.province_code,
            m.valid_to
        from meaning as m
        where m.valid_to < date '9999-12-31'
    ),

    answer as (
        select
            b.name_key,
            b.kind,
            b.district_key,
            b.province_code,
            b.start,
            case when count(distinct m.admin_unit_sk) = 1 then min(m.admin_unit_sk) end as admin_unit_sk,
            case
                when count(distinct m.admin_unit_sk) = 0 then 'not_in_force_that_day'
                when count(distinct m.admin_unit_sk) = 1 then min(m.note)
                when count(distinct m.own_district) = count(distinct m.admin_unit_sk) then 'district_needed'
                when count(distinct m.own_kind) = count(distinct m.admin_unit_sk) then 'kind_needed'
                else 'ambiguous_name'
            end as reason
        from boundary as b
        left join meaning as m
            on
                b.name_key = m.name_key
                and b.kind = m.kind
                and b.district_key = m.district_key
                and b.province_code = m.province_code
                and b.start >= m.valid_from
                and b.start < m.valid_to
        group by
            b.name_key,
            b.kind,
            b.district_key,
            b.province_code,
            b.start
    )

    insert into core.commune_by_name (name_key, kind, district_key, province_code, starts, admin_unit_sks, reasons)
    select
        a.name_key,
        a.kind,
        a.district_key,
        a.province_code,
        array_agg(a.start order by a.start) as starts,
        array_agg(a.admin_unit_sk order by a.start) as admin_unit_sks,
        array_agg(a.reason order by a.start) as reasons
    from answer as a
    group by
        a.name_key,
        a.kind,
        a.district_key,
        a.province_code;
    get diagnostics filled = row_count;
    return filled;
end;
$$;

select core.refresh_commune_lookup();

comment on function core.folded_name(text) is 'Tên để so sánh: chữ thường, dấu thanh một kiểu, một khoảng trắng | A name as it is compared: lower case, one tone placement, single spaces';
comment on function core.admin_name_kind(text) is 'Loại đơn vị đứng đầu tên, kể cả viết tắt | Kind of unit a name begins with, also abbreviated';
comment on function core.admin_name_key(text) is 'Khóa so sánh tên, bỏ loại đơn vị, giữ nguyên dấu | Key to compare names by: without the kind, marks kept';
comment on function core.refresh_commune_lookup() is 'Dựng lại các bảng tra cứu xã; trả về số dòng tra theo tên | Rebuilds the look-ups of communes; returns the rows by name';

comment on table ops.reference_commune_variant is 'Cách viết và mã khác của xã, huyện như trong tệp tham chiếu | Other spellings and codes of units as in the reference file';
comment on column ops.reference_commune_variant.code is 'Mã trong danh mục | Code in the catalogue';
comment on column ops.reference_commune_variant.in_force_on is 'Một ngày đơn vị có hiệu lực | A day on which the unit is in force';
comment on column ops.reference_commune_variant.variant_name is 'Cách viết khác | Other spelling';
comment on column ops.reference_commune_variant.variant_code is 'Mã khác | Other code';
comment on column ops.reference_commune_variant.valid_from is 'Mã khác dùng từ ngày | First day of the other code';
comment on column ops.reference_commune_variant.valid_to is 'Ngày cuối dùng mã khác | Last day of the other code';
comment on column ops.reference_commune_variant.source is 'Nguồn | Source';

comment on table core.commune_name is 'Tên xã và mọi cách viết, theo thời gian hiệu lực | Names of communes in every spelling, by validity';
comment on column core.commune_name.admin_unit_sk is 'Đơn vị (huyện không có xã đứng như một xã) | Unit (a district without communes stands as one)';
comment on column core.commune_name.name is 'Tên đầy đủ | Full name';
comment on column core.commune_name.name_key is 'Khóa so sánh, core.admin_name_key | Key of comparison, core.admin_name_key';
comment on column core.commune_name.kind is 'Loại: xã, phường, thị trấn, đặc khu, huyện | Kind of unit';
comment on column core.commune_name.code is 'Mã trong danh mục | Code in the catalogue';
comment on column core.commune_name.district_code is 'Mã huyện, trống từ 2025-07-01 | Code of the district, empty from 2025-07-01 on';
comment on column core.commune_name.district_keys is 'Tên huyện (khóa so sánh) và mã huyện | Keys of the name and code of the district';
comment on column core.commune_name.province_code is 'Mã tỉnh khi đó | Code of the province then';
comment on column core.commune_name.valid_from is 'Hiệu lực từ ngày | Valid from';
comment on column core.commune_name.valid_to is 'Hết hiệu lực từ ngày (không bao gồm) | Valid until, exclusive';
comment on column core.commune_name.is_variant is 'Không phải cách viết của danh mục | Not the spelling of the catalogue';
comment on column core.commune_name.note is 'Ghi chú: district_without_communes | Note: district_without_communes';

comment on table core.commune_by_code is 'Tra xã theo mã và ngày: width_bucket(ngày, starts) là vị trí trong hai mảng | Commune by code and day: width_bucket(day, starts) is the position in both arrays';
comment on column core.commune_by_code.code is 'Mã xã | Code of the commune';
comment on column core.commune_by_code.starts is 'Các ngày câu trả lời thay đổi | Days on which the answer changes';
comment on column core.commune_by_code.admin_unit_sks is 'Đơn vị từ ngày đó, trống nếu không rõ | Unit from that day on, empty when there is none';
comment on column core.commune_by_code.reasons is 'Lý do, trống nếu tìm được | Reason, empty when found';

comment on table core.commune_by_name is 'Tra xã theo tên và ngày; '''' là không nói | Commune by name and day; '''' is not said';
comment on column core.commune_by_name.name_key is 'Khóa so sánh tên | Key of the name';
comment on column core.commune_by_name.kind is 'Loại được nêu, hoặc rỗng | Kind that was said, or empty';
comment on column core.commune_by_name.district_key is 'Khóa tên huyện hoặc mã huyện được nêu, hoặc rỗng | Key of the name or code of the district that was said, or empty';
comment on column core.commune_by_name.province_code is 'Mã tỉnh được nêu, hoặc rỗng | Code of the province that was said, or empty';
comment on column core.commune_by_name.starts is 'Các ngày câu trả lời thay đổi | Days on which the answer changes';
comment on column core.commune_by_name.admin_unit_sks is 'Đơn vị từ ngày đó, trống nếu không chắc chắn | Unit from that day on, empty when not certain';
comment on column core.commune_by_name.reasons is 'Lý do, trống nếu tìm được | Reason, empty when found';

revoke all on function core.refresh_commune_lookup() from public;
revoke all on function core.folded_name(text) from public;
revoke all on function core.admin_name_kind(text) from public;
revoke all on function core.admin_name_key(text) from public;
grant execute on function core.folded_name(text) to dx_loader, dx_engineer, dx_analyst;
grant execute on function core.admin_name_kind(text) to dx_loader, dx_engineer, dx_analyst;
grant execute on function core.admin_name_key(text) to dx_loader, dx_engineer, dx_analyst;
grant select on ops.reference_commune_variant to dx_engineer;
grant select on core.commune_name to dx_loader, dx_engineer, dx_analyst;
grant select on core.commune_by_code to dx_loader, dx_engineer, dx_analyst;
grant select on core.commune_by_name to dx_loader, dx_engineer, dx_analyst;

-- Report any additive measure on one map of communes: the 141, 125 or 119 units of old Quảng Trị or the 78 of today.
--
-- core.bridge_admin_map says, for a unit and the day of the fact, on which unit of a map the figure belongs. Its shares
-- add up to 1 for every unit, day and map, so nothing is lost by the join. What cannot be apportioned has
-- to_sk = -1 and a reason, and stays a row of the report:
--
--     select b.to_sk, b.reason, sum(f.amount * b.share)
--     from core.fact_of_communes as f
--     inner join core.bridge_admin_map as b
--         on b.from_sk = f.commune_sk and b.map = 78 and f.day >= b.valid_from and f.day < b.valid_to
--     group by b.to_sk, b.reason
--
-- The day is needed because a unit may keep its code, name and key and still grow: Gio Hải of 2024 holds a part of what
-- was Gio Thành in 2019. (On the 78-unit map every unit has one row for all days.) Going forward a merged unit belongs
-- to its successor in full. Going back a figure belongs to the predecessor if there was one only; of several nobody
-- knows the shares. A split with unknown shares (Gio Thành, 2020) can be apportioned again where all its parts lie in
-- one unit (Cửa Việt, 2025). Figures that may not be added up (percentages, ranks, stocks over time) are not restated.
--
-- Reasons: split_share_unknown, merged_from_several, successor_unknown (old Quảng Bình before 2025: no crosswalk),
-- outside_map (old Quảng Bình on a map of old Quảng Trị), not_a_commune (a district or province), unit_unknown,
-- not_applicable.

-- Grain: one row per map of communes.
create table if not exists core.admin_map (
    map integer primary key,
    as_of date not null,
    valid_from date not null,
    valid_to date not null,
    province_code text not null,
    name_vi text not null,
    name_en text not null,
    constraint admin_map_validity check (as_of >= valid_from and as_of < valid_to)
);

insert into core.admin_map (map, as_of, valid_from, valid_to, province_code, name_vi, name_en)
values
(141, '2019-12-31', '1900-01-01', '2020-01-01', '45', '141 xã đến hết năm 2019', '141 communes until the end of 2019'),
(125, '2024-06-30', '2020-01-01', '2025-01-01', '45', '125 xã, 2020 đến 2024', '125 communes, 2020 to 2024'),
(119, '2025-04-01', '2025-01-01', '2025-07-01', '45', '119 xã, nửa đầu năm 2025', '119 communes, first half of 2025'),
(78, '2025-07-01', '2025-07-01', '9999-12-31', '44', '78 đơn vị từ 01/7/2025', '78 units since 1 July 2025');

-- Grain: one row per map and unit on it. A district without communes (Cồn Cỏ) is a unit too, or its figures were lost.
create table if not exists core.admin_map_unit (
    map integer not null references core.admin_map (map),
    admin_unit_sk integer not null references core.dim_admin_unit (admin_unit_sk),
    is_commune boolean not null,
    old_province_code text not null,
    primary key (map, admin_unit_sk)
);

-- Grain: one row per unit, stretch of days of the fact, map, and unit on the map.
create table if not exists core.bridge_admin_map (
    from_sk integer not null references core.dim_admin_unit (admin_unit_sk),
    valid_from date not null,
    valid_to date not null,
    map integer not null references core.admin_map (map),
    to_sk integer not null references core.dim_admin_unit (admin_unit_sk),
    share numeric not null,
    is_apportionable boolean not null,
    reason text,
    possible_units text,
    confidence text,
    primary key (map, from_sk, valid_from, to_sk),
    constraint bridge_admin_map_share check (share > 0 and share <= 1),
    constraint bridge_admin_map_reason check (is_apportionable = (reason is null) and is_apportionable = (to_sk > 0))
);

-- Fills units and bridge from core.dim_admin_unit, core.bridge_admin_unit_crosswalk and core.admin_map. A migration
-- that adds a reform (units, crosswalk rows, a map) calls it at its end.
create or replace function core.refresh_admin_maps()
returns bigint
language plpgsql
as $$
declare
    filled bigint;
begin
    delete from core.bridge_admin_map;
    delete from core.admin_map_unit;

    with recursive unit as (
        select
            u.*,
            u.level = 'commune' as is_commune
        from core.dim_admin_unit as u
        left join (
            select distinct c.parent_sk
            from core.dim_admin_unit as c
            where c.level = 'commune'
        ) as parent on u.admin_unit_sk = parent.parent_sk
        where u.level = 'commune' or (u.level = 'district' and parent.parent_sk is null)
    ),

    -- A unit on a map, in either of the two provinces of then.
    node as (
        select
            m.map,
            m.valid_from,
            m.valid_to,
            m.province_code = u.province_code as is_on_map,
            u.admin_unit_sk,
            u.is_commune,
            u.name,
            u.province_code
        from core.admin_map as m
        inner join unit as u on m.as_of >= u.valid_from and m.as_of < u.valid_to
    ),

    -- One reform: the crosswalk, and units it does not name that go on under the same key.
    step as (
        select
            a.map as from_map,
            b.map as to_map,
            x.from_sk,
            x.to_sk,
            x.weight,
            case x.confidence when 'high' then 3 when 'medium-high' then 2 else 1 end as certainty
        from core.bridge_admin_unit_crosswalk as x
        inner join core.admin_map as a on x.event_date = a.valid_to
        inner join core.admin_map as b on x.event_date = b.valid_from
        union all
        select
            a.map,
            b.map,
            a.admin_unit_sk,
            b.admin_unit_sk,
            1 as weight,
            2 as certainty
        from node as a
        inner join node as b on a.admin_unit_sk = b.admin_unit_sk and a.valid_to = b.valid_from
        left join core.bridge_admin_unit_crosswalk as x
            on a.admin_unit_sk = x.from_sk and a.valid_to = x.event_date
        where x.from_sk is null
    ),

    path as (
        select
            n.map as from_map,
            n.admin_unit_sk as from_sk,
            n.map as to_map,
            n.admin_unit_sk as to_sk,
            1::numeric as weight,
            3 as certainty
        from node as n
        union all
        select
            p.from_map,
            p.from_sk,
            s.to_map,
            s.to_sk,
            p.weight * s.weight,
            least(p.certainty, s.certainty)
        from path as p
        inner join step as s on p.to_map = s.from_map and p.to_sk = s.from_sk
    ),

    forward as (
        select
            p.from_map,
            p.from_sk,
            p.to_map,
            p.to_sk,
            case when count(p.weight) = count(*) then sum(p.weight) end as weight,
            min(p.certainty) as certainty
        from path as p
        group by
            p.from_map,
            p.from_sk,
            p.to_map,
            p.to_sk
    ),

    -- Where the figure of a unit may belong: forward to its successors, back to its predecessors.
    link as (
        select
            f.from_map,
            f.from_sk,
            f.to_map,
            f.to_sk,
            f.weight,
            f.certainty,
            false as is_back
        from forward as f
        union all
        select
            f.to_map,
            f.to_sk,
            f.from_map,
            f.from_sk,
            null as weight,
            f.certainty,
            true as is_back
        from forward as f
        where f.from_map <> f.to_map
    ),

    pair as (
        select
            l.from_map,
            l.from_sk,
            l.to_map,
            count(*) as links,
            sum(l.weight) as weights,
            count(*) filter (where l.weight is null) as unknown_weights,
            bool_or(l.is_back) as is_back,
            bool_and(t.is_on_map) as is_on_map,
            string_agg(t.name, '; ' order by t.name collate "C") as possible_units
        from link as l
        inner join node as t on l.to_map = t.map and l.to_sk = t.admin_unit_sk
        group by
            l.from_map,
            l.from_sk,
            l.to_map
    ),

    verdict as (
        select
            n.map as from_map,
            n.admin_unit_sk as from_sk,
            n.valid_from,
            n.valid_to,
            m.map as to_map,
            p.links,
            p.possible_units,
            case
                when p.links is null and n.province_code <> m.province_code then 'outside_map'
                when p.links is null then 'successor_unknown'
                when not p.is_on_map then 'outside_map'
                when p.links = 1 then null
                when p.is_back then 'merged_from_several'
                when p.unknown_weights > 0 or p.weights <> 1 then 'split_share_unknown'
            end as reason
        from node as n
        cross join core.admin_map as m
        left join pair as p on n.map = p.from_map and n.admin_unit_sk = p.from_sk and m.map = p.to_map
    ),

    answer as (
        select
            v.from_sk,
            v.valid_from,
            v.valid_to,
            v.to_map,
            case when v.reason is null then l.to_sk else -1 end as to_sk,
            case when v.reason is null and v.links > 1 then l.weight else 1 end as share,
            v.reason,
            case when v.reason in ('merged_from_several', 'split_share_unknown') then v.possible_units end
                as possible_units,
            l.certainty
        from verdict as v
        left join link as l
            on
                v.reason is null
                and v.from_map = l.from_map
                and v.from_sk = l.from_sk
                and v.to_map = l.to_map
    ),

    -- Neighbouring stretches with one answer become one; the first reaches back to 1900, the last on to 9999.
    said as (
        select
            a.from_sk,
            a.to_map,
            a.valid_from,
            a.valid_to,
            string_agg(concat_ws('|', a.to_sk, a.share, a.reason, a.possible_units), ';' order by a.to_sk) as words,
            min(a.certainty) as certainty
        from answer as a
        group by
            a.from_sk,
            a.to_map,
            a.valid_from,
            a.valid_to
    ),

    turn as (
        select
            s.*,
            s.words is distinct from lag(s.words) over (partition by s.from_sk, s.to_map order by s.valid_from)
                as is_turn
        from said as s
    ),

    stretch as (
        select
            t.*,
            count(*) filter (where t.is_turn) over (partition by t.from_sk, t.to_map order by t.valid_from) as number
        from turn as t
    ),

    whole as (
        select
            s.from_sk,
            s.to_map,
            min(s.valid_from) as starts,
            max(s.valid_to) as ends,
            min(s.certainty) as certainty,
            min(min(s.valid_from)) over (partition by s.from_sk, s.to_map) as first_day,
            max(max(s.valid_to)) over (partition by s.from_sk, s.to_map) as last_day
        from stretch as s
        group by
            s.from_sk,
            s.to_map,
            s.number
    )

    insert into core.bridge_admin_map (
        from_sk,
        valid_from,
        valid_to,
        map,
        to_sk,
        share,
        is_apportionable,
        reason,
        possible_units,
        confidence
    )
    select
        a.from_sk,
        case when w.starts = w.first_day then date '1900-01-01' else w.starts end as valid_from,
        case when w.ends = w.last_day then date '9999-12-31' else w.ends end as valid_to,
        a.to_map as map,
        a.to_sk,
        a.share,
        a.reason is null as is_apportionable,
        a.reason,
        a.possible_units,
        case w.certainty when 3 then 'high' when 2 then 'medium-high' when 1 then 'medium' end as confidence
    from whole as w
    inner join answer as a on w.from_sk = a.from_sk and w.to_map = a.to_map and w.starts = a.valid_from
    union all
    select
        u.admin_unit_sk,
        date '1900-01-01',
        date '9999-12-31',
        m.map,
        -1,
        1,
        false,
        case
            when u.admin_unit_sk = -2 then 'not_applicable'
            when u.admin_unit_sk < 0 then 'unit_unknown'
            else 'not_a_commune'
        end,
        null,
        null
    from core.dim_admin_unit as u
    cross join core.admin_map as m
    left join node as n on u.admin_unit_sk = n.admin_unit_sk
    where n.admin_unit_sk is null;
    get diagnostics filled = row_count;

    insert into core.admin_map_unit (map, admin_unit_sk, is_commune, old_province_code)
    select
        m.map,
        u.admin_unit_sk,
        u.level = 'commune' as is_commune,
        coalesce(max(f.province_code), u.province_code) as old_province_code
    from core.admin_map as m
    inner join core.dim_admin_unit as u
        on m.as_of >= u.valid_from and m.as_of < u.valid_to and m.province_code = u.province_code
    inner join core.bridge_admin_map as b on m.map = b.map and u.admin_unit_sk = b.from_sk and b.is_apportionable
    left join core.bridge_admin_unit_crosswalk as x on m.valid_from = x.event_date and u.admin_unit_sk = x.to_sk
    left join core.dim_admin_unit as f on x.from_sk = f.admin_unit_sk
    where b.to_sk = u.admin_unit_sk and m.as_of >= b.valid_from and m.as_of < b.valid_to
    group by
        m.map,
        u.admin_unit_sk,
        u.level,
        u.province_code;
    return filled;
end;
$$;

select core.refresh_admin_maps();

-- A few hundred figures at once, as arrays of equal length: unit, day and amount. What comes out adds up to what goes
-- in; to_sk = -1 is what could not be apportioned, one row per reason. Facts join the bridge instead.
create or replace function core.restate(units integer[], days date[], amounts numeric[], onto_map integer)
returns table (to_sk integer, amount numeric, reason text)
language sql
stable
parallel safe
as $$
    select
        coalesce(b.to_sk, -1) as to_sk,
        sum(r.amount * coalesce(b.share, 1)) as amount,
        case when b.to_sk is null then 'unit_unknown' else b.reason end as reason
    from unnest(units, days, amounts) as r (unit_sk, day, amount)
    left join core.bridge_admin_map as b
        on r.unit_sk = b.from_sk and b.map = onto_map and r.day >= b.valid_from and r.day < b.valid_to
    group by
        1,
        3
    order by
        1,
        3
$$;

comment on function core.refresh_admin_maps() is 'Dựng lại đơn vị của các bản đồ và bảng quy đổi; trả về số dòng | Rebuilds the units of the maps and the bridge; returns its rows';
comment on function core.restate(integer[], date[], numeric[], integer) is 'Quy đổi số liệu cộng được về một bản đồ; to_sk = -1 là phần không phân bổ được | Additive figures on one map; to_sk = -1 is what could not be apportioned';

comment on table core.admin_map is 'Các bản đồ đơn vị cấp xã: 141, 125, 119, 78 | Maps of communes: 141, 125, 119, 78';
comment on column core.admin_map.map is 'Bản đồ, gọi theo số xã | Map, called by its number of communes';
comment on column core.admin_map.as_of is 'Ngày của bản đồ | Day of the map';
comment on column core.admin_map.valid_from is 'Có hiệu lực từ ngày; 1900-01-01 nếu không rõ | In force from; 1900-01-01 when unknown';
comment on column core.admin_map.valid_to is 'Hết hiệu lực từ ngày (không bao gồm) | In force until, exclusive';
comment on column core.admin_map.province_code is 'Mã tỉnh khi đó: 45 Quảng Trị cũ, 44 Quảng Trị sau hợp nhất | Code of the province then: 45 old Quảng Trị, 44 the merged one';
comment on column core.admin_map.name_vi is 'Tên bản đồ | Name in Vietnamese';
comment on column core.admin_map.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.admin_map_unit is 'Đơn vị của từng bản đồ | Units of each map';
comment on column core.admin_map_unit.map is 'Bản đồ | Map';
comment on column core.admin_map_unit.admin_unit_sk is 'Đơn vị | Unit';
comment on column core.admin_map_unit.is_commune is 'Là cấp xã; sai với huyện không có xã (Cồn Cỏ) | Is a commune; false for a district without communes (Cồn Cỏ)';
comment on column core.admin_map_unit.old_province_code is 'Tỉnh trước 2025-07-01: 45 Quảng Trị, 44 Quảng Bình | Province before 2025-07-01: 45 Quảng Trị, 44 Quảng Bình';

comment on table core.bridge_admin_map is 'Quy đổi đơn vị của ngày phát sinh về một bản đồ; tổng tỷ lệ luôn bằng 1 | The unit of the day on a map; shares always add up to 1';
comment on column core.bridge_admin_map.from_sk is 'Đơn vị mà số liệu mang | Unit the figure carries';
comment on column core.bridge_admin_map.valid_from is 'Áp dụng cho số liệu từ ngày | For figures of this day and later';
comment on column core.bridge_admin_map.valid_to is 'Áp dụng cho số liệu trước ngày | For figures before this day';
comment on column core.bridge_admin_map.map is 'Bản đồ đích | Map to report on';
comment on column core.bridge_admin_map.to_sk is 'Đơn vị trên bản đồ; -1 không phân bổ được | Unit on the map; -1 cannot be apportioned';
comment on column core.bridge_admin_map.share is 'Tỷ lệ thuộc về đơn vị đích | Share that belongs there';
comment on column core.bridge_admin_map.is_apportionable is 'Phân bổ được | Can be apportioned';
comment on column core.bridge_admin_map.reason is 'Vì sao không phân bổ được | Why it cannot be apportioned';
comment on column core.bridge_admin_map.possible_units is 'Các đơn vị có thể, khi không phân bổ được | Units it may lie in, when it cannot be apportioned';
comment on column core.bridge_admin_map.confidence is 'Độ tin cậy thấp nhất trên đường đi | Lowest confidence on the way';

revoke all on function core.refresh_admin_maps() from public;
revoke all on function core.restate(integer[], date[], numeric[], integer) from public;
grant execute on function core.restate(integer[], date[], numeric[], integer) to dx_loader, dx_engineer, dx_analyst;
grant select on core.admin_map to dx_loader, dx_engineer, dx_analyst;
grant select on core.admin_map_unit to dx_loader, dx_engineer, dx_analyst;
grant select on core.bridge_admin_map to dx_loader, dx_engineer, dx_analyst;

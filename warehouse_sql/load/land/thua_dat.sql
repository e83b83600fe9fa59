-- Grain: one stage row is one parcel; it becomes one row of restricted.land_parcel (without readers). core gets counts
-- only: core.fact_land_count is recomputed from the parcels that are open and not superseded.
-- The commune is looked up by code and the day of the extract; the island district, which has no commune, stands for
-- one. A code that is no more leads to the one unit its commune went to as a whole (flag xa_da_giai_the); where it was
-- split or never existed, to the unknown member -1 (flag xa_khong_xac_dinh).
-- A parcel on the old map is superseded if another one of the commune names its sheet and number as the former ones.
-- One that has former numbers itself is on the new map: there the same numbers are another parcel.
-- One certificate may cover several parcels. Its number is in doubt where commune, entry or day differ.

-- dx:step merge=snapshot target=restricted.land_parcel key=parcel_id scope=commune_sk ledger
with asked as (
    select
        s.*,
        coalesce(s.ma_xa, s.ma_huyen) as unit_code
    from stage.land__thua_dat as s
),

looked_up as (
    select
        a.thua_dat_id,
        u.admin_unit_sks[width_bucket(a.ngay_du_lieu, u.starts)] as commune_sk,
        u.admin_unit_sks[width_bucket(a.ngay_du_lieu, u.starts) - 1] as former_sk,
        u.starts[width_bucket(a.ngay_du_lieu, u.starts)] - 1 as former_day
    from asked as a
    inner join core.commune_by_code as u on a.unit_code = u.code
),

moved as (
    select
        a.thua_dat_id,
        b.to_sk
    from asked as a
    inner join looked_up as l on a.thua_dat_id = l.thua_dat_id
    inner join core.admin_map as m on a.ngay_du_lieu >= m.valid_from and a.ngay_du_lieu < m.valid_to
    inner join core.bridge_admin_map as b
        on
            l.former_sk = b.from_sk
            and m.map = b.map
            and l.former_day >= b.valid_from
            and l.former_day < b.valid_to
    where l.commune_sk is null and b.is_apportionable and b.share = 1
),

successor as (
    select
        o.thua_dat_id,
        min(n.thua_dat_id) as superseded_by
    from asked as o
    inner join asked as n
        on
            o.unit_code = n.unit_code
            and o.so_to_ban_do = n.so_to_ban_do_cu
            and o.so_thu_tu_thua = n.so_thu_tu_thua_cu
            and o.thua_dat_id <> n.thua_dat_id
    where o.so_to_ban_do_cu is null and o.so_thu_tu_thua_cu is null
    group by o.thua_dat_id
),

contested_certificate as (
    select a.so_phat_hanh_gcn
    from asked as a
    where a.so_phat_hanh_gcn is not null
    group by a.so_phat_hanh_gcn
    having count(distinct concat_ws('|', a.unit_code, coalesce(a.so_vao_so, ''), a.ngay_cap)) > 1
),

found as (
    select
        a.*,
        coalesce(l.commune_sk, m.to_sk, -1) as commune_sk,
        x.superseded_by,
        c.so_phat_hanh_gcn is not null as is_contested,
        array_remove(
            array[
                case when l.commune_sk is null and m.to_sk is not null then 'xa_da_giai_the' end,
                case when l.commune_sk is null and m.to_sk is null then 'xa_khong_xac_dinh' end,
                case when x.superseded_by is not null then 'thua_cu_da_co_so_moi' end,
                case when c.so_phat_hanh_gcn is not null then 'gcn_trung_so' end
            ],
            null
        ) as flags,
        array(
            select d.land_use_sk
            from unnest((string_to_array(a.ky_hieu_muc_dich, '+'))[2:]) with ordinality as p (code, place)
            inner join core.dim_land_use as d on p.code = d.code
            order by p.place
        ) as further_land_use_sks
    from asked as a
    left join looked_up as l on a.thua_dat_id = l.thua_dat_id
    left join moved as m on a.thua_dat_id = m.thua_dat_id
    left join successor as x on a.thua_dat_id = x.thua_dat_id
    left join contested_certificate as c on a.so_phat_hanh_gcn = c.so_phat_hanh_gcn
),

judged as (
    select
        f.*,
        f.so_phat_hanh_gcn is not null
        and (
            f.is_contested
            or coalesce(f._warnings && array['ngay_cap_truoc_luat_1993', 'ngay_cap_trong_tuong_lai'], false)
        ) as certificate_in_doubt,
        nullif(coalesce(f._warnings, '{}') || f.flags, '{}') as quality_flags
    from found as f
)

-- The hash covers what other rows and look-ups decided, so that a parcel follows them though its own row is unchanged.
select
    j.thua_dat_id as parcel_id,
    j.commune_sk,
    coalesce(d.land_use_sk, -1) as land_use_sk,
    j.further_land_use_sks,
    j.dien_tich::numeric(18, 1) as area_m2,
    j.so_phat_hanh_gcn is not null as has_certificate,
    j.certificate_in_doubt,
    case
        when j.so_phat_hanh_gcn is null then -2
        when
            j.ngay_cap is null
            or coalesce(j._warnings && array['ngay_cap_truoc_luat_1993', 'ngay_cap_trong_tuong_lai'], false)
            then -1
        else extract(year from j.ngay_cap)
    end::smallint as certificate_year,
    j.superseded_by,
    j.ngay_du_lieu as data_day,
    j.quality_flags,
    hashint8extended(
        hashint8extended(hashint8extended(j._row_hash, j.commune_sk), coalesce(j.superseded_by, 0)),
        j.is_contested::integer
    ) as row_hash
from judged as j
left join core.dim_land_use as d on split_part(j.ky_hieu_muc_dich, '+', 1) = d.code;

-- dx:step merge=sql fills=core.fact_land_count
-- Counts that no longer have a parcel go; what is left is written where it differs.
delete from core.fact_land_count as f
where not exists (
    select
    from restricted.land_parcel as p
    where
        p.closed_on is null
        and p.superseded_by is null
        and p.commune_sk = f.commune_sk
        and p.certificate_year = f.certificate_year
        and (p.land_use_sk = f.land_use_sk or f.land_use_sk = any(p.further_land_use_sks))
);

-- dx:step merge=sql fills=core.fact_land_count
with named as (
    select
        p.*,
        use.land_use_sk as named_sk,
        use.is_first
    from restricted.land_parcel as p
    cross join lateral (
        select
            p.land_use_sk,
            true as is_first
        union all
        select
            x.land_use_sk,
            false as is_first
        from unnest(p.further_land_use_sks) as x (land_use_sk)
    ) as use
    where p.closed_on is null and p.superseded_by is null
)

insert into core.fact_land_count as f (
    commune_sk,
    land_use_sk,
    certificate_year,
    parcels,
    area_m2,
    parcels_with_certificate,
    certificates_in_doubt,
    parcels_several_uses,
    area_several_uses_m2,
    parcels_further_use,
    data_day,
    first_batch_id,
    last_batch_id,
    loaded_at
)
select
    n.commune_sk,
    n.named_sk as land_use_sk,
    n.certificate_year,
    count(*) filter (where n.is_first) as parcels,
    coalesce(sum(n.area_m2) filter (where n.is_first), 0) as area_m2,
    count(*) filter (where n.is_first and n.has_certificate) as parcels_with_certificate,
    count(*) filter (where n.is_first and n.certificate_in_doubt) as certificates_in_doubt,
    count(*) filter (where n.is_first and cardinality(n.further_land_use_sks) > 0) as parcels_several_uses,
    coalesce(
        sum(n.area_m2) filter (where n.is_first and cardinality(n.further_land_use_sks) > 0),
        0
    ) as area_several_uses_m2,
    count(*) filter (where not n.is_first) as parcels_further_use,
    max(n.data_day) as data_day,
    :batch_id as first_batch_id,
    :batch_id as last_batch_id,
    cast(:loaded_at as timestamptz) as loaded_at
from named as n
group by
    n.commune_sk,
    n.named_sk,
    n.certificate_year
on conflict (commune_sk, land_use_sk, certificate_year) do update
    set
        parcels = excluded.parcels,
        area_m2 = excluded.area_m2,
        parcels_with_certificate = excluded.parcels_with_certificate,
        certificates_in_doubt = excluded.certificates_in_doubt,
        parcels_several_uses = excluded.parcels_several_uses,
        area_several_uses_m2 = excluded.area_several_uses_m2,
        parcels_further_use = excluded.parcels_further_use,
        data_day = excluded.data_day,
        last_batch_id = excluded.last_batch_id,
        loaded_at = excluded.loaded_at
    where
        (
            f.parcels,
            f.area_m2,
            f.parcels_with_certificate,
            f.certificates_in_doubt,
            f.parcels_several_uses,
            f.area_several_uses_m2,
            f.parcels_further_use,
            f.data_day
        ) is distinct from (
            excluded.parcels,
            excluded.area_m2,
            excluded.parcels_with_certificate,
            excluded.certificates_in_doubt,
            excluded.parcels_several_uses,
            excluded.area_several_uses_m2,
            excluded.parcels_further_use,
            excluded.data_day
        );

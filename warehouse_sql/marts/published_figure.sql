-- Grain: one row per published figure and period. The warehouse's value is what the figure's own query gives, run as it
-- stands in the reference file; a figure whose dataset was never published is left out, not shown as zero.
-- dx:mart name=published_figure depends=one_stop.groups,one_stop.thu_tuc,one_stop.thay_doi_muc_do_thu_tuc,digital_infrastructure.ha_tang_so,digital_infrastructure.to_cong_nghe_so,digital_infrastructure.to_cong_nghe_so_bao_cao,digital_infrastructure.he_thong_thong_tin,digital_infrastructure.don_vi_chuyen_doi_so,task_tracking.nhiem_vu,eid.dinh_danh_xa_thang,staff.can_bo

delete from mart.published_figure;

do $$
declare
    figure record;
    found numeric;
begin
    for figure in
        select r.*
        from ops.reference_published_figure as r
        where exists (
            select from ops.batch as b
            where b.system || '.' || b.dataset = r.dataset and b.status = 'published'
        )
        order by r.position
    loop
        execute figure.query into found;
        insert into mart.published_figure (
            figure_code,
            period,
            position,
            name_vi,
            name_en,
            unit,
            published_value,
            warehouse_value,
            difference,
            dataset,
            source,
            query,
            refreshed_at
        )
        values (
            figure.figure_code,
            figure.period,
            figure.position,
            figure.name_vi,
            figure.name_en,
            figure.unit,
            figure.published_value,
            found,
            found - figure.published_value,
            figure.dataset,
            figure.source,
            figure.query,
            now()
        );
    end loop;
end;
$$;

-- The rules of one_stop.ho_so by hand, DuckDB: one scan that counts the rows which break each rule.
-- What is left out: the rows themselves. Nothing can be quarantined or loaded from these numbers.
with repeated as (
    select ma_ho_so
    from read_parquet($file)
    where ma_ho_so is not null
    group by ma_ho_so
    having count(*) > 1
)

select
    count(*) filter (where id is null and id__unreadable is null) as id_missing,
    count(*) filter (where id__unreadable is not null) as id_unreadable,
    count(*) filter (where ma_ho_so is null and ma_ho_so__unreadable is null) as ma_ho_so_missing,
    count(*) filter (where ma_ho_so__unreadable is not null) as ma_ho_so_unreadable,
    count(*) filter (where ma_ho_so_khac__unreadable is not null) as ma_ho_so_khac_unreadable,
    count(*) filter (where ma_ho_so in (select repeated.ma_ho_so from repeated)) as ma_ho_so_conflict,
    count(*) filter (where ngay_cap_nhat is null and ngay_cap_nhat__unreadable is null) as ngay_cap_nhat_missing,
    count(*) filter (where ngay_cap_nhat__unreadable is not null) as ngay_cap_nhat_unreadable,
    count(*) filter (where ma_tthc is null and ma_tthc__unreadable is null) as ma_tthc_missing,
    count(*) filter (where ma_tthc__unreadable is not null) as ma_tthc_unreadable,
    count(*) filter (where ma_dinh_danh is null and ma_dinh_danh__unreadable is null) as ma_dinh_danh_missing,
    count(*) filter (where ma_dinh_danh__unreadable is not null) as ma_dinh_danh_unreadable,
    count(*) filter (where regexp_matches(coalesce(ten_tthc__note, '') || coalesce(don_vi_xu_ly__note, ''), 'legacy_(tcvn3|vni)')) as ten_legacy_encoding,
    count(*) filter (where trang_thai is null and trang_thai__unreadable is null) as trang_thai_missing,
    count(*) filter (where trang_thai__unreadable is not null) as trang_thai_unknown,
    count(*) filter (where kenh_thuc_hien__unreadable is not null) as kenh_unknown,
    count(*) filter (where loai_doi_tuong__unreadable is not null) as loai_doi_tuong_unknown,
    count(*) filter (where muc_do__unreadable is not null) as muc_do_unknown,
    count(*) filter (where hinh_thuc_tra__unreadable is not null) as hinh_thuc_tra_unknown,
    count(*) filter (where noi_nop_ho_so__unreadable is not null) as noi_nop_unknown,
    count(*) filter (where co_thanh_phan_so_hoa__unreadable is not null) as co_thanh_phan_so_hoa_unreadable,
    count(*) filter (where tai_khoan_xac_thuc_vneid__unreadable is not null) as tai_khoan_xac_thuc_vneid_unreadable,
    count(*) filter (where duoc_thanh_toan_truc_tuyen__unreadable is not null) as thanh_toan_truc_tuyen_unknown,
    count(*) filter (where ngay_tiep_nhan__unreadable is not null) as ngay_tiep_nhan_unreadable,
    count(*) filter (where ngay_tiep_nhan > ngay_cap_nhat + interval '24 hours') as ngay_tiep_nhan_in_future,
    count(*) filter (where ngay_ket_thuc_xu_ly__unreadable is not null) as ngay_ket_thuc_xu_ly_unreadable,
    count(*) filter (where ngay_ket_thuc_xu_ly < ngay_tiep_nhan) as ket_thuc_truoc_tiep_nhan,
    count(*) filter (where ngay_hen_tra__unreadable is not null) as ngay_hen_tra_unreadable,
    count(*) filter (where ngay_tra__unreadable is not null) as ngay_tra_unreadable,
    count(*) filter (where ngay_tu_choi__unreadable is not null) as ngay_tu_choi_unreadable,
    count(*) filter (where ngay_yeu_cau_bo_sung__unreadable is not null) as ngay_yeu_cau_bo_sung_unreadable,
    count(*) filter (where ngay_cong_dan_bo_sung__unreadable is not null) as ngay_cong_dan_bo_sung_unreadable,
    count(*) filter (where thoi_han_bo_sung__unreadable is not null) as thoi_han_bo_sung_unreadable,
    count(*) filter (where ngay_nop__unreadable is not null) as ngay_nop_unreadable,
    count(*) filter (where han_tiep_nhan__unreadable is not null) as han_tiep_nhan_unreadable,
    count(*) filter (where deleted_on__unreadable is not null) as deleted_on_unreadable,
    count(*) filter (where contains(so_giay_to_chu_ho_so__note, 'placeholder')) as so_giay_to_placeholder,
    count(*) filter (where so_giay_to_chu_ho_so__unreadable is not null) as so_giay_to_unreadable,
    count(*) filter (where so_dien_thoai_chu_ho_so__unreadable is not null) as so_dien_thoai_unreadable,
    count(*) filter (where ngay_sinh_chu_ho_so__unreadable is not null) as ngay_sinh_unreadable,
    count(*) filter (where regexp_matches(chu_ho_so, '(\.\.\.|…)$')) as ten_chu_ho_so_truncated,
    count(*) filter (where ma_xa__unreadable is not null) as ma_xa_unreadable
from read_parquet($file)

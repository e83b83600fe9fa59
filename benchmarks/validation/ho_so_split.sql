-- The rules of one_stop.ho_so by hand, DuckDB: one scan that gives each row with the rules it breaks, a bit each.
-- Who reads the rows splits them into good and bad ones and counts the bits. $columns: the columns to load.
with repeated as (
    select ma_ho_so
    from read_parquet($file)
    where ma_ho_so is not null
    group by ma_ho_so
    having count(*) > 1
)

select
    $columns,
      (case when id is null and id__unreadable is null then 1::bigint else 0 end) /* id_missing */
    | (case when id__unreadable is not null then 2::bigint else 0 end) /* id_unreadable */
    | (case when ma_ho_so is null and ma_ho_so__unreadable is null then 4::bigint else 0 end) /* ma_ho_so_missing */
    | (case when ma_ho_so__unreadable is not null then 8::bigint else 0 end) /* ma_ho_so_unreadable */
    | (case when ma_ho_so_khac__unreadable is not null then 16::bigint else 0 end) /* ma_ho_so_khac_unreadable, warning */
    | (case when ma_ho_so in (select repeated.ma_ho_so from repeated) then 32::bigint else 0 end) /* ma_ho_so_conflict */
    | (case when ngay_cap_nhat is null and ngay_cap_nhat__unreadable is null then 64::bigint else 0 end) /* ngay_cap_nhat_missing */
    | (case when ngay_cap_nhat__unreadable is not null then 128::bigint else 0 end) /* ngay_cap_nhat_unreadable */
    | (case when ma_tthc is null and ma_tthc__unreadable is null then 256::bigint else 0 end) /* ma_tthc_missing */
    | (case when ma_tthc__unreadable is not null then 512::bigint else 0 end) /* ma_tthc_unreadable */
    | (case when ma_dinh_danh is null and ma_dinh_danh__unreadable is null then 1024::bigint else 0 end) /* ma_dinh_danh_missing */
    | (case when ma_dinh_danh__unreadable is not null then 2048::bigint else 0 end) /* ma_dinh_danh_unreadable */
    | (case when regexp_matches(coalesce(ten_tthc__note, '') || coalesce(don_vi_xu_ly__note, ''), 'legacy_(tcvn3|vni)') then 4096::bigint else 0 end) /* ten_legacy_encoding, warning */
    | (case when trang_thai is null and trang_thai__unreadable is null then 8192::bigint else 0 end) /* trang_thai_missing */
    | (case when trang_thai__unreadable is not null then 16384::bigint else 0 end) /* trang_thai_unknown */
    | (case when kenh_thuc_hien__unreadable is not null then 32768::bigint else 0 end) /* kenh_unknown */
    | (case when loai_doi_tuong__unreadable is not null then 65536::bigint else 0 end) /* loai_doi_tuong_unknown */
    | (case when muc_do__unreadable is not null then 131072::bigint else 0 end) /* muc_do_unknown, warning */
    | (case when hinh_thuc_tra__unreadable is not null then 262144::bigint else 0 end) /* hinh_thuc_tra_unknown, warning */
    | (case when noi_nop_ho_so__unreadable is not null then 524288::bigint else 0 end) /* noi_nop_unknown, warning */
    | (case when co_thanh_phan_so_hoa__unreadable is not null then 1048576::bigint else 0 end) /* co_thanh_phan_so_hoa_unreadable, warning */
    | (case when tai_khoan_xac_thuc_vneid__unreadable is not null then 2097152::bigint else 0 end) /* tai_khoan_xac_thuc_vneid_unreadable, warning */
    | (case when duoc_thanh_toan_truc_tuyen__unreadable is not null then 4194304::bigint else 0 end) /* thanh_toan_truc_tuyen_unknown, warning */
    | (case when ngay_tiep_nhan__unreadable is not null then 8388608::bigint else 0 end) /* ngay_tiep_nhan_unreadable */
    | (case when ngay_tiep_nhan > ngay_cap_nhat + interval '24 hours' then 16777216::bigint else 0 end) /* ngay_tiep_nhan_in_future */
    | (case when ngay_ket_thuc_xu_ly__unreadable is not null then 33554432::bigint else 0 end) /* ngay_ket_thuc_xu_ly_unreadable */
    | (case when ngay_ket_thuc_xu_ly < ngay_tiep_nhan then 67108864::bigint else 0 end) /* ket_thuc_truoc_tiep_nhan */
    | (case when ngay_hen_tra__unreadable is not null then 134217728::bigint else 0 end) /* ngay_hen_tra_unreadable */
    | (case when ngay_tra__unreadable is not null then 268435456::bigint else 0 end) /* ngay_tra_unreadable */
    | (case when ngay_tu_choi__unreadable is not null then 536870912::bigint else 0 end) /* ngay_tu_choi_unreadable */
    | (case when ngay_yeu_cau_bo_sung__unreadable is not null then 1073741824::bigint else 0 end) /* ngay_yeu_cau_bo_sung_unreadable */
    | (case when ngay_cong_dan_bo_sung__unreadable is not null then 2147483648::bigint else 0 end) /* ngay_cong_dan_bo_sung_unreadable */
    | (case when thoi_han_bo_sung__unreadable is not null then 4294967296::bigint else 0 end) /* thoi_han_bo_sung_unreadable, warning */
    | (case when ngay_nop__unreadable is not null then 8589934592::bigint else 0 end) /* ngay_nop_unreadable, warning */
    | (case when han_tiep_nhan__unreadable is not null then 17179869184::bigint else 0 end) /* han_tiep_nhan_unreadable, warning */
    | (case when deleted_on__unreadable is not null then 34359738368::bigint else 0 end) /* deleted_on_unreadable */
    | (case when contains(so_giay_to_chu_ho_so__note, 'placeholder') then 68719476736::bigint else 0 end) /* so_giay_to_placeholder, warning */
    | (case when so_giay_to_chu_ho_so__unreadable is not null then 137438953472::bigint else 0 end) /* so_giay_to_unreadable, warning */
    | (case when so_dien_thoai_chu_ho_so__unreadable is not null then 274877906944::bigint else 0 end) /* so_dien_thoai_unreadable, warning */
    | (case when ngay_sinh_chu_ho_so__unreadable is not null then 549755813888::bigint else 0 end) /* ngay_sinh_unreadable, warning */
    | (case when regexp_matches(chu_ho_so, '(\.\.\.|…)$') then 1099511627776::bigint else 0 end) /* ten_chu_ho_so_truncated, warning */
    | (case when ma_xa__unreadable is not null then 2199023255552::bigint else 0 end) /* ma_xa_unreadable, warning */ as broken
from read_parquet($file)

-- A dossier that a re-read month no longer holds was deleted at the source without a mark. It gets the instant at which
-- that was found and the flag khong_con_o_nguon, so that every report leaves it out as it does the marked ones.

comment on column core.fact_dossier.deleted_at is 'Thời điểm xóa ở nguồn, hoặc lúc kho thấy không còn ở nguồn (cờ khong_con_o_nguon); trống nếu còn | When it was deleted at the source, or found to be there no more (flag khong_con_o_nguon); empty while it is there';
comment on column core.fact_dossier_history.deleted_at is 'Thời điểm xóa ở nguồn, hoặc lúc kho thấy không còn ở nguồn (cờ khong_con_o_nguon); trống nếu còn | When it was deleted at the source, or found to be there no more (flag khong_con_o_nguon); empty while it is there';

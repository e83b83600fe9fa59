-- Tools for BI take the beginning of a comment as the column's heading.

comment on column mart.assessment_ranking.status is 'Tình trạng: verified đã thẩm định đủ, incomplete chưa đủ, excluded loại khỏi xếp hạng | Standing: verified in full, incomplete or excluded from the ranking';

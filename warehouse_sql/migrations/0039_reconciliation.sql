-- Control sums of every batch at each gate of the road: what the source said, what landed, what the judge passed, what
-- the stage holds, what the star holds. Two gates that disagree are a finding that the batch keeps.

-- Grain: one row per batch, gate and measure.
create table if not exists ops.control_sum (
    batch_id bigint not null,
    gate text not null,
    measure text not null,
    value text,
    constraint control_sum_pkey primary key (batch_id, measure, gate),
    constraint control_sum_gate_known check (
        gate in ('source', 'landing', 'cleaned', 'accepted', 'quarantined', 'duplicate', 'stage', 'star')
    )
);

alter table ops.control_sum drop constraint if exists control_sum_batch_fkey;

alter table ops.control_sum add constraint control_sum_batch_fkey
foreign key (batch_id) references ops.batch (batch_id);

comment on table ops.control_sum is 'Số kiểm soát của từng lô qua từng cửa: nguồn, gốc, làm sạch, chấp nhận, bị loại, trùng, trung chuyển, kho | Control sums of each batch at each gate: source, landing, cleaned, accepted, quarantined, duplicate, stage, star';
comment on column ops.control_sum.batch_id is 'Lô | Batch';
comment on column ops.control_sum.gate is 'Cửa | Gate';
comment on column ops.control_sum.measure is 'Đại lượng: rows, distinct_keys, sum(cột), min(cột), max(cột) | Measure: rows, distinct_keys, sum(column), min(column), max(column)';
comment on column ops.control_sum.value is 'Giá trị, dạng chữ; trống khi không có dòng nào | Value as text; empty when there was no row';

grant select, insert, delete on ops.control_sum to dx_loader;
grant select on ops.control_sum to dx_engineer, dx_analyst;

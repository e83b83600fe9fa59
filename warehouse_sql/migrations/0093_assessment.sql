-- Assessment of agencies by people: self-assessment with evidence, then verification, then the ranking that is
-- published (dx publication publish assessment_ranking). Entries are added, never changed; the newest one counts.

-- Grain: one row per set, year, agency, component, stage and moment of entry.
create table if not exists core.assessment_entry (
    set_code text not null,
    year smallint not null,
    agency_code text not null,
    component_code text not null,
    stage text not null,
    score numeric,
    is_applicable boolean not null,
    evidence text,
    remark text,
    entered_by text not null,
    entered_at timestamptz not null,
    constraint assessment_entry_pkey primary key (set_code, year, agency_code, component_code, stage, entered_at),
    constraint assessment_entry_stage_known check (stage in ('self', 'verified')),
    constraint assessment_entry_score_if_applicable check ((score is not null) = is_applicable)
);

create or replace function core.assessment_entry_as_known(at timestamptz)
returns setof core.assessment_entry
language sql
stable
as $$
    select e.*
    from core.assessment_entry as e
    where e.entered_at <= at
$$;

revoke all on function core.assessment_entry_as_known(timestamptz) from public;
grant execute on function core.assessment_entry_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;

-- Grain: one row per set, year, agency and component (* is the whole set).
create table if not exists mart.assessment_ranking (
    set_code text not null,
    year smallint not null,
    agency_code text not null,
    component_code text not null,
    agency_name text not null,
    peer_group text,
    max_points numeric,
    self_score numeric,
    verified_score numeric,
    is_applicable boolean not null,
    evidence text,
    remark text,
    points_lost numeric,
    percent numeric,
    status text not null,
    place integer,
    peers integer,
    tied integer,
    refreshed_at timestamptz not null,
    constraint assessment_ranking_pkey primary key (set_code, year, agency_code, component_code)
);

comment on table core.assessment_entry is 'Điểm tự chấm và thẩm định, không bao giờ ghi đè | Self-assessed and verified scores, never overwritten';
comment on column core.assessment_entry.set_code is 'Mã bộ chỉ số | Code of the set';
comment on column core.assessment_entry.year is 'Năm đánh giá | Year assessed';
comment on column core.assessment_entry.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column core.assessment_entry.component_code is 'Mã thành phần | Code of the component';
comment on column core.assessment_entry.stage is 'self tự chấm, verified thẩm định | self or verified';
comment on column core.assessment_entry.score is 'Điểm; trống khi không áp dụng | Score; empty when not applicable';
comment on column core.assessment_entry.is_applicable is 'Có áp dụng cho cơ quan | Applies to the agency';
comment on column core.assessment_entry.evidence is 'Tài liệu kiểm chứng | Reference to the evidence';
comment on column core.assessment_entry.remark is 'Nhận xét | Remark';
comment on column core.assessment_entry.entered_by is 'Ai chấm | Who scored';
comment on column core.assessment_entry.entered_at is 'Thời điểm ghi | Recorded at';
comment on function core.assessment_entry_as_known(timestamptz) is 'Điểm đánh giá như kho biết tại một thời điểm | Assessments as known at an instant';

comment on table mart.assessment_ranking is 'Kết quả đánh giá, xếp hạng cơ quan theo năm | Assessment and ranking of agencies by year';
comment on column mart.assessment_ranking.set_code is 'Mã bộ chỉ số | Code of the set';
comment on column mart.assessment_ranking.year is 'Năm đánh giá | Year assessed';
comment on column mart.assessment_ranking.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column mart.assessment_ranking.component_code is 'Mã thành phần; * là cả bộ | Component; * for the whole set';
comment on column mart.assessment_ranking.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.assessment_ranking.peer_group is 'Nhóm cùng loại và cấp | Peer group, kind and level';
comment on column mart.assessment_ranking.max_points is 'Điểm tối đa; ở dòng * chỉ phần áp dụng | Most points; in row * of what applies';
comment on column mart.assessment_ranking.self_score is 'Điểm tự chấm | Score by the agency itself';
comment on column mart.assessment_ranking.verified_score is 'Điểm thẩm định | Verified score';
comment on column mart.assessment_ranking.is_applicable is 'Có áp dụng | Applies';
comment on column mart.assessment_ranking.evidence is 'Tài liệu kiểm chứng | Reference to the evidence';
comment on column mart.assessment_ranking.remark is 'Nhận xét của bên thẩm định | Verifier''s remark';
comment on column mart.assessment_ranking.points_lost is 'Điểm mất sau thẩm định | Points lost after verification';
comment on column mart.assessment_ranking.percent is 'Điểm thẩm định trên tối đa áp dụng, % | Verified score of the applicable maximum, %';
comment on column mart.assessment_ranking.status is 'verified đã thẩm định đủ, incomplete chưa đủ, excluded không xếp hạng | verified, incomplete or excluded';
comment on column mart.assessment_ranking.place is 'Hạng trong nhóm; bằng điểm cùng hạng (1, 1, 3) | Place in the peer group; equal scores share it (1, 1, 3)';
comment on column mart.assessment_ranking.peers is 'Số cơ quan được xếp hạng trong nhóm | Agencies ranked in the group';
comment on column mart.assessment_ranking.tied is 'Số cơ quan cùng hạng | Agencies that share the place';
comment on column mart.assessment_ranking.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert on core.assessment_entry to dx_loader;
grant select on core.assessment_entry to dx_engineer, dx_analyst;
grant select, insert, delete on mart.assessment_ranking to dx_loader;
grant select on mart.assessment_ranking to dx_engineer, dx_analyst, dx_bi;

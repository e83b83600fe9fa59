-- Grain: nyc311.fact_service_request has one row per 311 request, an accumulating snapshot: the row is
-- overwritten as the request moves from created to closed.
-- A request that is not in the newest file has not vanished (a file is one day's export), so nothing is closed.

-- dx:tables
create schema if not exists nyc311;

comment on schema nyc311 is 'Yêu cầu dịch vụ công 311 của New York: lược đồ sao nhỏ, ví dụ | 311 service requests of New York: a small star, an example';

grant usage on schema nyc311 to dx_loader, dx_engineer, dx_analyst;

create table if not exists nyc311.dim_agency (
    agency_sk integer generated always as identity primary key,
    agency_code text not null unique,
    agency_name text not null,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

comment on table nyc311.dim_agency is 'Cơ quan xử lý, mỗi dòng là một cơ quan | Agencies that handle requests, one row each';
comment on column nyc311.dim_agency.agency_sk is 'Khóa thay thế | Surrogate key';
comment on column nyc311.dim_agency.agency_code is 'Mã cơ quan ở nguồn | Code of the agency in the source';
comment on column nyc311.dim_agency.agency_name is 'Tên cơ quan | Name of the agency';
comment on column nyc311.dim_agency.row_hash is 'Mã băm nội dung dòng | Hash of the row';
comment on column nyc311.dim_agency.first_batch_id is 'Lô đầu tiên đưa dòng vào | Batch that brought the row';
comment on column nyc311.dim_agency.last_batch_id is 'Lô sửa dòng gần nhất | Batch that changed it last';
comment on column nyc311.dim_agency.loaded_at is 'Thời điểm dữ liệu của dòng được đọc từ nguồn | When its data was read from the source';

create table if not exists nyc311.dim_complaint_type (
    complaint_type_sk integer generated always as identity primary key,
    complaint_type text not null unique,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

comment on table nyc311.dim_complaint_type is 'Loại yêu cầu, mỗi dòng là một loại | Kinds of request, one row each';
comment on column nyc311.dim_complaint_type.complaint_type_sk is 'Khóa thay thế | Surrogate key';
comment on column nyc311.dim_complaint_type.complaint_type is 'Loại yêu cầu, như nguồn ghi | Kind of request, as the source writes it';
comment on column nyc311.dim_complaint_type.row_hash is 'Mã băm nội dung dòng | Hash of the row';
comment on column nyc311.dim_complaint_type.first_batch_id is 'Lô đầu tiên đưa dòng vào | Batch that brought the row';
comment on column nyc311.dim_complaint_type.last_batch_id is 'Lô sửa dòng gần nhất | Batch that changed it last';
comment on column nyc311.dim_complaint_type.loaded_at is 'Thời điểm dữ liệu của dòng được đọc từ nguồn | When its data was read from the source';

create table if not exists nyc311.dim_channel (
    channel_sk smallint primary key,
    channel_code text not null unique,
    name_vi text not null,
    name_en text not null
);

comment on table nyc311.dim_channel is 'Kênh gửi yêu cầu | Channels a request comes by';
comment on column nyc311.dim_channel.channel_sk is 'Khóa thay thế | Surrogate key';
comment on column nyc311.dim_channel.channel_code is 'Mã kênh theo hợp đồng dữ liệu | Code of the channel in the data contract';
comment on column nyc311.dim_channel.name_vi is 'Tên tiếng Việt | Vietnamese name';
comment on column nyc311.dim_channel.name_en is 'Tên tiếng Anh | English name';

insert into nyc311.dim_channel (channel_sk, channel_code, name_vi, name_en)
values
(-1, 'unknown', 'Không xác định', 'Unknown'),
(1, 'online', 'Trang web', 'Web site'),
(2, 'phone', 'Điện thoại', 'Phone'),
(3, 'mobile', 'Ứng dụng di động', 'Mobile app')
on conflict (channel_sk) do nothing;

create table if not exists nyc311.dim_status (
    status_sk smallint primary key,
    status_code text not null unique,
    name_vi text not null,
    name_en text not null,
    is_closed boolean not null
);

comment on table nyc311.dim_status is 'Trạng thái yêu cầu | Statuses of a request';
comment on column nyc311.dim_status.status_sk is 'Khóa thay thế | Surrogate key';
comment on column nyc311.dim_status.status_code is 'Mã trạng thái theo hợp đồng dữ liệu | Code of the status in the data contract';
comment on column nyc311.dim_status.name_vi is 'Tên tiếng Việt | Vietnamese name';
comment on column nyc311.dim_status.name_en is 'Tên tiếng Anh | English name';
comment on column nyc311.dim_status.is_closed is 'Đã đóng | The request is closed';

insert into nyc311.dim_status (status_sk, status_code, name_vi, name_en, is_closed)
values
(1, 'open', 'Mới mở', 'Open', false),
(2, 'assigned', 'Đã phân công', 'Assigned', false),
(3, 'in_progress', 'Đang xử lý', 'In progress', false),
(4, 'closed', 'Đã đóng', 'Closed', true)
on conflict (status_sk) do nothing;

create table if not exists nyc311.fact_service_request (
    request_key text primary key,
    created_on date not null,
    agency_sk integer not null references nyc311.dim_agency (agency_sk),
    complaint_type_sk integer not null references nyc311.dim_complaint_type (complaint_type_sk),
    channel_sk smallint not null references nyc311.dim_channel (channel_sk),
    status_sk smallint not null references nyc311.dim_status (status_sk),
    descriptor text,
    borough text,
    park_name text,
    created_at timestamptz not null,
    due_at timestamptz,
    last_action_at timestamptz,
    closed_at timestamptz,
    seconds_to_close bigint,
    warnings text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

comment on table nyc311.fact_service_request is 'Yêu cầu 311, mỗi dòng là một yêu cầu, ghi đè khi trạng thái đổi | 311 requests, one row each, overwritten as the request moves on';
comment on column nyc311.fact_service_request.request_key is 'Mã yêu cầu | Request number';
comment on column nyc311.fact_service_request.created_on is 'Ngày tạo theo giờ New York | Day it was made, New York time';
comment on column nyc311.fact_service_request.agency_sk is 'Cơ quan xử lý | Agency that handles it';
comment on column nyc311.fact_service_request.complaint_type_sk is 'Loại yêu cầu | Kind of request';
comment on column nyc311.fact_service_request.channel_sk is 'Kênh gửi | Channel it came by';
comment on column nyc311.fact_service_request.status_sk is 'Trạng thái | Status';
comment on column nyc311.fact_service_request.descriptor is 'Chi tiết loại yêu cầu | Finer kind of request';
comment on column nyc311.fact_service_request.borough is 'Quận | Borough';
comment on column nyc311.fact_service_request.park_name is 'Tên công viên | Name of the park';
comment on column nyc311.fact_service_request.created_at is 'Thời điểm tạo | When it was made';
comment on column nyc311.fact_service_request.due_at is 'Hạn xử lý | When it is due';
comment on column nyc311.fact_service_request.last_action_at is 'Thời điểm cập nhật xử lý gần nhất | Last action on it';
comment on column nyc311.fact_service_request.closed_at is 'Thời điểm đóng | When it was closed';
comment on column nyc311.fact_service_request.seconds_to_close is 'Số giây từ lúc tạo đến lúc đóng | Seconds from creation to closing';
comment on column nyc311.fact_service_request.warnings is 'Mã các cảnh báo của dòng | Codes of the warnings of the row';
comment on column nyc311.fact_service_request.row_hash is 'Mã băm nội dung dòng | Hash of the row';
comment on column nyc311.fact_service_request.first_batch_id is 'Lô đầu tiên đưa dòng vào | Batch that brought the row';
comment on column nyc311.fact_service_request.last_batch_id is 'Lô sửa dòng gần nhất | Batch that changed it last';
comment on column nyc311.fact_service_request.loaded_at is 'Thời điểm dữ liệu của dòng được đọc từ nguồn | When its data was read from the source';

create index if not exists fact_service_request_created_on on nyc311.fact_service_request (created_on);

grant select, insert, update on nyc311.dim_agency to dx_loader;
grant select, insert, update on nyc311.dim_complaint_type to dx_loader;
grant select on nyc311.dim_channel to dx_loader;
grant select on nyc311.dim_status to dx_loader;
grant select, insert, update on nyc311.fact_service_request to dx_loader;
grant select on nyc311.dim_agency to dx_engineer, dx_analyst;
grant select on nyc311.dim_complaint_type to dx_engineer, dx_analyst;
grant select on nyc311.dim_channel to dx_engineer, dx_analyst;
grant select on nyc311.dim_status to dx_engineer, dx_analyst;
grant select on nyc311.fact_service_request to dx_engineer, dx_analyst;

-- dx:step merge=upsert target=nyc311.dim_agency key=agency_code
select
    s.agency_code,
    max(s.agency_name) as agency_name,
    hashtextextended(max(s.agency_name), 0) as row_hash
from stage.nyc311__service_request as s
group by s.agency_code;

-- dx:step merge=upsert target=nyc311.dim_complaint_type key=complaint_type
select
    s.complaint_type,
    hashtextextended(s.complaint_type, 0) as row_hash
from stage.nyc311__service_request as s
group by s.complaint_type;

-- dx:step merge=upsert target=nyc311.fact_service_request key=request_key ledger
-- Inner joins on purpose: every code is required and judged, and a row that found no member would
-- leave the ledger out of balance, so it could not be lost unseen.
select
    s.request_key,
    (s.created_at at time zone 'America/New_York')::date as created_on,
    a.agency_sk,
    t.complaint_type_sk,
    c.channel_sk,
    x.status_sk,
    s.descriptor,
    s.borough,
    s.park_name,
    s.created_at,
    s.due_at,
    s.last_action_at,
    s.closed_at,
    extract(epoch from s.closed_at - s.created_at)::bigint as seconds_to_close,
    s._warnings as warnings,
    s._row_hash as row_hash
from stage.nyc311__service_request as s
inner join nyc311.dim_agency as a on s.agency_code = a.agency_code
inner join nyc311.dim_complaint_type as t on s.complaint_type = t.complaint_type
inner join nyc311.dim_channel as c on s.channel = c.channel_code
inner join nyc311.dim_status as x on s.status = x.status_code;

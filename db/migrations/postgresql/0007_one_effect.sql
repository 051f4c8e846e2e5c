-- Requests that ended without a clear answer find their own way where the carrier's promises allow it, and wait for a
-- person (needs_operator) where they do not. Shipments can be cancelled by request.

alter table remito_requests drop constraint remito_requests_state_check;
alter table remito_requests add constraint remito_requests_state_check
  check (state in ('pending', 'sending', 'accepted', 'granted', 'refused', 'unknown', 'needs_operator', 'cancelled'));
alter table remito_requests
  -- Of calls that may have made a shipment: the first of them, the last one's end, how many ended unclear; what is next.
  add column first_sent_at   bigint,
  add column unclear_at      bigint,
  add column unclear_calls   integer not null default 0,
  add column looks           integer not null default 0,
  add column next_step       text    not null default '' check (next_step in ('', 'find', 'resend')),
  -- Who settled it by hand last, when and how.
  add column operator        text    not null default '',
  add column operator_at     bigint,
  add column operator_action text    not null default '';
create index remito_requests_unclear on remito_requests (carrier, retry_at) where state = 'unknown';
create index remito_requests_for_people on remito_requests (id) where state = 'needs_operator';
-- Nobody knows what has been done since about requests that ended so before: a person does.
update remito_requests set state = 'needs_operator' where state = 'unknown';

create table cancel_requests (
  id               bigint  generated always as identity primary key,
  -- the platform writes
  request_key      text    not null unique,
  order_number     text    not null,
  parcel_group     integer not null default 1 check (parcel_group >= 1),
  requested_at     bigint  not null default (extract(epoch from clock_timestamp()) * 1000000)::bigint,
  -- the daemon writes
  accepted_at      bigint,
  state            text    not null default 'pending'
                   check (state in ('pending', 'sending', 'unknown', 'cancelled', 'refused', 'needs_operator')),
  carrier          text    not null default '',
  remito           text    not null default '',
  refusal_code     text    not null default '',
  refusal_text     text    not null default '',
  attempts         integer not null default 0,
  settled_at       bigint,
  request_id       bigint  references remito_requests (id),
  shipment_id      bigint  references shipments (id),
  fencing_token    bigint  not null default 0,
  lease_expires_at bigint,
  retry_at         bigint,
  unclear_at       bigint
);
create index cancel_requests_new on cancel_requests (id) where accepted_at is null;
create index cancel_requests_open on cancel_requests (carrier, retry_at) where state in ('pending', 'sending', 'unknown');
create index cancel_requests_of_order on cancel_requests (order_number, parcel_group);
create index cancel_requests_for_people on cancel_requests (id) where state = 'needs_operator';
create trigger wake_up after insert on cancel_requests for each statement execute function wake_up();

-- As in the first schema: where the role could not be made, there is none to grant to.
do $$
begin
  if exists (select from pg_roles where rolname = 'remitod_platform') then
    grant select on cancel_requests to remitod_platform;
    grant insert (request_key, order_number, parcel_group, requested_at) on cancel_requests to remitod_platform;
  end if;
end $$;

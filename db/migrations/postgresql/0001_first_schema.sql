-- The first schema. README.md of the folder above describes every table; both engines have the same names.
--
-- Instants are bigints: microseconds since the epoch, UTC; their columns end in _at and are null until it happened.
-- Texts are never null: '' means none. The schema `remitod` exists and is the search path.

create table remito_requests (
  id               bigint  generated always as identity primary key,
  -- the platform writes
  request_key      text    not null unique,
  order_number     text    not null,
  parcel_group     integer not null default 1 check (parcel_group between 1 and 2147483647),
  carrier          text    not null,
  service          text    not null default '',
  payload          text    not null default '{}',
  requested_at     bigint  not null default (extract(epoch from clock_timestamp()) * 1000000)::bigint,
  -- the daemon writes
  accepted_at      bigint,
  state            text    not null default 'pending'
                   check (state in ('pending', 'sending', 'granted', 'refused', 'unknown')),
  remito           text    not null default '',
  refusal_code     text    not null default '',
  refusal_text     text    not null default '',
  attempts         integer not null default 0,
  client_ref       text    not null default '',
  request_hash     text    not null default '',
  fencing_token    bigint  not null default 0,
  lease_expires_at bigint,
  retry_at         bigint,
  settled_at       bigint,
  shipment_id      bigint
);
create index remito_requests_new on remito_requests (id) where accepted_at is null;
create index remito_requests_waiting on remito_requests (state, retry_at) where state in ('pending', 'sending');
create index remito_requests_of_order on remito_requests (order_number, parcel_group);

create table shipments (
  id              bigint  generated always as identity primary key,
  -- the platform writes, for existing remitos that are to be followed
  order_number    text    not null check (order_number <> ''),
  parcel_group    integer not null default 1 check (parcel_group between 1 and 2147483647),
  carrier         text    not null check (carrier <> ''),
  remito          text    not null check (remito <> ''),
  related_remito  text    not null default '',
  baseline        boolean not null default false,
  registered_at   bigint,
  -- the daemon writes
  accepted_at     bigint,
  request_id      bigint references remito_requests (id),
  cycle           integer not null default 0,
  status          text    not null default 'registered' check (status in (
                    'registered', 'picked_up', 'in_transit', 'out_for_delivery', 'available_for_pickup',
                    'attempt_failed', 'delivered', 'returning', 'returned', 'exception', 'cancelled', 'expired',
                    'unmapped')),
  reason          text    not null default '',
  status_at       bigint,
  detected_at     bigint,
  attempts_failed integer not null default 0,
  baseline_at     bigint,
  terminal_at     bigint,
  ended_at        bigint,
  unique (carrier, remito, cycle)
) with (fillfactor = 80);  -- a status changes several times: leave room for that in the page of the row
-- A carrier uses a number again only after its last shipment has ended.
create unique index shipments_open_remito on shipments (carrier, remito) where ended_at is null;
create index shipments_new on shipments (id) where accepted_at is null;
create index shipments_of_order on shipments (order_number);
create index shipments_terminal on shipments (carrier, terminal_at) where ended_at is null and terminal_at is not null;
create index shipments_unfinished on shipments (carrier, accepted_at)
  where ended_at is null and accepted_at is not null and terminal_at is null;
alter table remito_requests add foreign key (shipment_id) references shipments (id);

create table tracking_events (
  shipment_id      bigint  not null references shipments (id),
  event_key        text    not null,
  code             text    not null,
  text             text    not null,
  status           text    not null,
  reason           text    not null,
  occurred_at      bigint,
  zone_source      text    not null,
  date_only        boolean not null,
  resolved_by_rule boolean not null,
  place            text    not null,
  position         bigint  not null,
  baseline         boolean not null,
  detected_at      bigint  not null,
  primary key (shipment_id, event_key)
);

create table transitions (
  id           bigint  generated always as identity primary key,
  seq          bigint  unique,
  subject      text    not null check (subject in ('request', 'shipment')),
  shipment_id  bigint  references shipments (id),
  request_id   bigint  references remito_requests (id),
  order_number text    not null,
  parcel_group integer not null,
  carrier      text    not null,
  remito       text    not null default '',
  cycle        integer not null default 0,
  event_key    text    not null default '',
  from_status  text    not null,
  to_status    text    not null,
  reason       text    not null default '',
  attempt      integer not null default 0,
  code         text    not null default '',
  text         text    not null default '',
  place        text    not null default '',
  occurred_at  bigint,
  zone_source  text    not null default '',
  date_only    boolean not null default false,
  detected_at  bigint  not null,
  inferred     boolean not null default false,
  late         boolean not null default false,
  correction   boolean not null default false,
  created_at   bigint  not null,
  dispatched_at bigint
);
-- What was said once is never said again, whatever a program does.
create unique index transitions_once on transitions (shipment_id, event_key, to_status, inferred)
  where subject = 'shipment';
create unique index transitions_once_of_request on transitions (request_id, to_status) where subject = 'request';
create index transitions_without_seq on transitions (id) where seq is null;
create index transitions_of_order on transitions (order_number);

create table resync_requests (
  id           bigint  generated always as identity primary key,
  -- who asks writes
  target       text    not null,
  since_at     bigint,
  requested_at bigint  not null default (extract(epoch from clock_timestamp()) * 1000000)::bigint,
  -- the daemon writes
  accepted_at  bigint,
  finished_at  bigint,
  shipments    bigint  not null default 0,
  error        text    not null default ''
);
create index resync_requests_unfinished on resync_requests (id) where finished_at is null;

create table raw_answers (
  id           bigint  generated always as identity primary key,
  carrier      text    not null,
  operation    text    not null,
  remito       text    not null,
  why          text    not null,
  http_status  integer not null,
  content_type text    not null,
  body         text    not null,
  kept_at      bigint  not null
);
create index raw_answers_of_carrier on raw_answers (carrier, id);

create table unmapped_codes (
  carrier       text   not null,
  code          text   not null,
  text          text   not null,
  seen          bigint not null,
  first_seen_at bigint not null,
  last_seen_at  bigint not null,
  primary key (carrier, code)
);
create index unmapped_codes_seen on unmapped_codes (last_seen_at);

create table lane_checkpoints (
  carrier  text   not null primary key,
  asked    text   not null,
  saved_at bigint not null
);

create table counters (
  name  text   not null primary key,
  value bigint not null
);
insert into counters (name, value) values ('transition_seq', 0);

-- Wake-ups. One per statement: an import of a million rows rings once.
create function wake_up() returns trigger language plpgsql as $$
begin
  perform pg_notify('remitod_wakeup', tg_table_name);
  return null;
end $$;
create function wake_up_if_new() returns trigger language plpgsql as $$
begin
  if exists (select from inserted where accepted_at is null) then
    perform pg_notify('remitod_wakeup', tg_table_name);
  end if;
  return null;
end $$;
create function tell_transitions() returns trigger language plpgsql as $$
begin
  perform pg_notify('remitod_transitions', '');
  return null;
end $$;
create trigger wake_up after insert on remito_requests for each statement execute function wake_up();
create trigger wake_up after insert on resync_requests for each statement execute function wake_up();
create trigger wake_up after insert on shipments referencing new table as inserted
  for each statement execute function wake_up_if_new();
-- A transition can be read by seq from the moment it has one.
create trigger tell_transitions after update of seq on transitions
  for each statement execute function tell_transitions();

-- The platform's rights: grant remitod_platform to the user that the platform connects as. Roles belong to the whole
-- server, so where this user may not create one, whoever may does so and grants the same.
do $$
begin
  if not exists (select from pg_roles where rolname = 'remitod_platform') then
    if not exists (select from pg_roles where rolname = current_user and (rolcreaterole or rolsuper)) then
      return;
    end if;
    begin
      create role remitod_platform nologin;
    exception when duplicate_object or unique_violation then
      null;  -- another database of this server was faster
    end;
  end if;
  grant usage on schema remitod to remitod_platform;
  grant select on remito_requests, shipments, resync_requests, tracking_events, transitions to remitod_platform;
  grant insert (request_key, order_number, parcel_group, carrier, service, payload, requested_at)
    on remito_requests to remitod_platform;
  grant insert (order_number, parcel_group, carrier, remito, related_remito, baseline, registered_at)
    on shipments to remitod_platform;
  grant insert (target, since_at, requested_at) on resync_requests to remitod_platform;
end $$;

-- Answers that can be read again, carriers in shadow, and what was erased. README.md of the folder above describes the
-- columns.

-- Read again, an answer has to meet what it was asked about: [{"shipment_id", "remito", "registered_at"}, ...]. Of one
-- that came in pages, page_ends says where each but the last ends. What is not whole cannot be read again.
alter table raw_answers
  add column received_at  bigint  not null default 0,
  add column asked        text    not null default '[]',
  add column page_ends    text    not null default '[]',
  add column request_id   bigint,
  add column whole        boolean not null default false,
  add column packed_bytes bigint  not null default 0;
update raw_answers set received_at = kept_at, packed_bytes = length(body);
drop index raw_answers_of_carrier;
-- Holds packed_bytes, so that sizes are summed without touching a body.
create index raw_answers_of_carrier on raw_answers (carrier, id, packed_bytes);
create index raw_answers_by_age on raw_answers (received_at);
create index tracking_events_unmapped on tracking_events (code) where status = 'unmapped';

alter table transitions
  -- of a carrier in shadow: recorded, and never given a seq
  add column shadow   boolean not null default false,
  -- history that an import brought, told because it was asked for
  add column backfill boolean not null default false;
drop index transitions_without_seq;
create index transitions_without_seq on transitions (id) where seq is null and not shadow;
-- The platform writes: with `baseline`, what the first report tells is told, marked `backfill`.
alter table shipments add column backfill boolean not null default false;

-- What the system before us made of the same shipments. The platform writes; --compare-shadow reads.
create table legacy_statuses (
  id          bigint generated always as identity primary key,
  carrier     text   not null check (carrier <> ''),
  remito      text   not null check (remito <> ''),
  status      text   not null,
  occurred_at bigint,
  noted_at    bigint not null default (extract(epoch from clock_timestamp()) * 1000000)::bigint
);
create index legacy_statuses_of_shipment on legacy_statuses (carrier, remito);

-- Since when nothing personal is left in the row and in what belongs to it.
alter table remito_requests add column erased_at bigint;
alter table shipments       add column erased_at bigint;
-- Since when its events are gone: they were old.
alter table shipments       add column events_removed_at bigint;
create index remito_requests_to_erase on remito_requests (settled_at)
  where settled_at is not null and erased_at is null;
create index remito_requests_settled on remito_requests (settled_at) where settled_at is not null;
create index shipments_with_events on shipments (ended_at) where ended_at is not null and events_removed_at is null;
create index transitions_by_age on transitions (created_at);
-- Of what refers to rows that go by age: a row that is deleted is looked for there.
create index transitions_of_request on transitions (request_id) where request_id is not null;
create index shipments_of_request on shipments (request_id) where request_id is not null;
create index cancel_requests_of_request on cancel_requests (request_id) where request_id is not null;
create index sink_letters_of_transition on sink_letters (seq);

-- Orders whose personal data was to be erased; erased_at is null while something of the order is still open.
create table erasures (
  order_number text   not null primary key,
  asked_at     bigint not null,
  erased_at    bigint
);
create index erasures_open on erasures (asked_at) where erased_at is null;

-- As in the first schema: where the role could not be made, there is none to grant to.
do $$
begin
  if exists (select from pg_roles where rolname = 'remitod_platform') then
    grant insert (backfill) on shipments to remitod_platform;
    grant select on legacy_statuses to remitod_platform;
    grant insert (carrier, remito, status, occurred_at, noted_at) on legacy_statuses to remitod_platform;
  end if;
end $$;

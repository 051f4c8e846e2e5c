-- Answers that can be read again, carriers in shadow, and what was erased. README.md of the folder above describes the
-- columns.

-- Read again, an answer has to meet what it was asked about: [{"shipment_id", "remito", "registered_at"}, ...]. Of one
-- that came in pages, page_ends says where each but the last ends. What is not whole cannot be read again.
alter table raw_answers add column received_at  integer not null default 0;
alter table raw_answers add column asked        text    not null default '[]';
alter table raw_answers add column page_ends    text    not null default '[]';
alter table raw_answers add column request_id   integer;
alter table raw_answers add column whole        integer not null default 0 check (whole in (0, 1));
alter table raw_answers add column packed_bytes integer not null default 0;
update raw_answers set received_at = kept_at, packed_bytes = length(body);
drop index raw_answers_of_carrier;
-- Holds packed_bytes, so that sizes are summed without touching a body.
create index raw_answers_of_carrier on raw_answers (carrier, id, packed_bytes);
create index raw_answers_by_age on raw_answers (received_at);
create index tracking_events_unmapped on tracking_events (code) where status = 'unmapped';

-- Of a carrier in shadow: recorded, and never given a seq.
alter table transitions add column shadow   integer not null default 0 check (shadow in (0, 1));
-- History that an import brought, told because it was asked for.
alter table transitions add column backfill integer not null default 0 check (backfill in (0, 1));
drop index transitions_without_seq;
create index transitions_without_seq on transitions (id) where seq is null and shadow = 0;
-- The platform writes: with `baseline`, what the first report tells is told, marked `backfill`.
alter table shipments add column backfill integer not null default 0 check (backfill in (0, 1));

-- What the system before us made of the same shipments. The platform writes; --compare-shadow reads.
create table legacy_statuses (
  id          integer primary key autoincrement,
  carrier     text    not null check (carrier <> ''),
  remito      text    not null check (remito <> ''),
  status      text    not null,
  occurred_at integer,
  noted_at    integer not null default (cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer) * 1000)
) strict;
create index legacy_statuses_of_shipment on legacy_statuses (carrier, remito);

-- Since when nothing personal is left in the row and in what belongs to it.
alter table remito_requests add column erased_at integer;
alter table shipments       add column erased_at integer;
-- Since when its events are gone: they were old.
alter table shipments       add column events_removed_at integer;
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
  order_number text    not null primary key,
  asked_at     integer not null,
  erased_at    integer
) strict, without rowid;
create index erasures_open on erasures (asked_at) where erased_at is null;

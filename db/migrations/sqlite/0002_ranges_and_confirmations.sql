-- Remitos from ranges of numbers given ahead, and requests that a carrier accepts now and grants or refuses later.

-- SQLite cannot change a check: the table is made anew under its own name. The rows that refer to it find theirs again
-- when the transaction commits; until then they may not be looked for.
pragma defer_foreign_keys = on;
create table remito_requests_before as select * from remito_requests;
drop table remito_requests;
create table remito_requests (
  id               integer primary key autoincrement,
  -- the platform writes
  request_key      text    not null unique,
  order_number     text    not null,
  parcel_group     integer not null default 1 check (parcel_group between 1 and 2147483647),
  carrier          text    not null,
  service          text    not null default '',
  payload          text    not null default '{}',
  requested_at     integer not null default (cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer) * 1000),
  -- the daemon writes
  accepted_at      integer,
  state            text    not null default 'pending'
                   check (state in ('pending', 'sending', 'accepted', 'granted', 'refused', 'unknown')),
  remito           text    not null default '',
  refusal_code     text    not null default '',
  refusal_text     text    not null default '',
  attempts         integer not null default 0,
  client_ref       text    not null default '',
  request_hash     text    not null default '',
  fencing_token    integer not null default 0,
  lease_expires_at integer,
  retry_at         integer,
  settled_at       integer,
  shipment_id      integer references shipments (id),
  proposed_remito  text    not null default '',
  confirm_at       integer,
  confirm_until    integer
) strict;
create index remito_requests_new on remito_requests (id) where accepted_at is null;
create index remito_requests_waiting on remito_requests (state, retry_at) where state in ('pending', 'sending');
create index remito_requests_of_order on remito_requests (order_number, parcel_group);
create index remito_requests_accepted on remito_requests (carrier, confirm_at) where state = 'accepted';
insert into remito_requests (
  id, request_key, order_number, parcel_group, carrier, service, payload, requested_at, accepted_at, state,
  remito, refusal_code, refusal_text, attempts, client_ref, request_hash, fencing_token, lease_expires_at,
  retry_at, settled_at, shipment_id)
select
  id, request_key, order_number, parcel_group, carrier, service, payload, requested_at, accepted_at, state,
  remito, refusal_code, refusal_text, attempts, client_ref, request_hash, fencing_token, lease_expires_at,
  retry_at, settled_at, shipment_id
from remito_requests_before;
drop table remito_requests_before;

-- Numbers that a carrier gave ahead, each handed out once: `taken` of them are gone, from first_number on.
create table remito_ranges (
  id           integer primary key autoincrement,
  -- who states a range writes; the daemon, where it asks the carrier itself
  carrier      text    not null check (carrier <> ''),
  first_number text    not null check (first_number <> ''),
  last_number  text    not null,
  stated_at    integer not null default (cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer) * 1000),
  -- the daemon writes
  accepted_at  integer,
  numbers      integer not null default 0,
  taken        integer not null default 0 check (taken between 0 and numbers),
  error        text    not null default ''
) strict;
create index remito_ranges_new on remito_ranges (id) where accepted_at is null;
create index remito_ranges_open on remito_ranges (carrier, id) where taken < numbers;
create index remito_ranges_of_carrier on remito_ranges (carrier, first_number);

-- One row for each carrier that is asked for further numbers: not again before next_try_at.
create table remito_refills (
  carrier     text    not null primary key,
  next_try_at integer not null,
  failures    integer not null default 0,
  error       text    not null default ''
) strict, without rowid;

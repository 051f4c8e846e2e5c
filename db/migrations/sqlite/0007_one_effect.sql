-- Requests that ended without a clear answer find their own way where the carrier's promises allow it, and wait for a
-- person (needs_operator) where they do not. Shipments can be cancelled by request.

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
                   check (state in ('pending', 'sending', 'accepted', 'granted', 'refused', 'unknown',
                                    'needs_operator', 'cancelled')),
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
  confirm_until    integer,
  -- Of calls that may have made a shipment: the first of them, the last one's end, how many ended unclear; what is next.
  first_sent_at    integer,
  unclear_at       integer,
  unclear_calls    integer not null default 0,
  looks            integer not null default 0,
  next_step        text    not null default '' check (next_step in ('', 'find', 'resend')),
  -- Who settled it by hand last, when and how.
  operator         text    not null default '',
  operator_at      integer,
  operator_action  text    not null default ''
) strict;
create index remito_requests_new on remito_requests (id) where accepted_at is null;
create index remito_requests_waiting on remito_requests (state, retry_at) where state in ('pending', 'sending');
create index remito_requests_of_order on remito_requests (order_number, parcel_group);
create index remito_requests_accepted on remito_requests (carrier, confirm_at) where state = 'accepted';
create index remito_requests_unclear on remito_requests (carrier, retry_at) where state = 'unknown';
create index remito_requests_for_people on remito_requests (id) where state = 'needs_operator';
insert into remito_requests (
  id, request_key, order_number, parcel_group, carrier, service, payload, requested_at, accepted_at, state,
  remito, refusal_code, refusal_text, attempts, client_ref, request_hash, fencing_token, lease_expires_at,
  retry_at, settled_at, shipment_id, proposed_remito, confirm_at, confirm_until)
select
  id, request_key, order_number, parcel_group, carrier, service, payload, requested_at, accepted_at, state,
  remito, refusal_code, refusal_text, attempts, client_ref, request_hash, fencing_token, lease_expires_at,
  retry_at, settled_at, shipment_id, proposed_remito, confirm_at, confirm_until
from remito_requests_before;
drop table remito_requests_before;
-- Nobody knows what has been done since about requests that ended so before: a person does.
update remito_requests set state = 'needs_operator' where state = 'unknown';

create table cancel_requests (
  id               integer primary key autoincrement,
  -- the platform writes
  request_key      text    not null unique,
  order_number     text    not null,
  parcel_group     integer not null default 1 check (parcel_group between 1 and 2147483647),
  requested_at     integer not null default (cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer) * 1000),
  -- the daemon writes
  accepted_at      integer,
  state            text    not null default 'pending'
                   check (state in ('pending', 'sending', 'unknown', 'cancelled', 'refused', 'needs_operator')),
  carrier          text    not null default '',
  remito           text    not null default '',
  refusal_code     text    not null default '',
  refusal_text     text    not null default '',
  attempts         integer not null default 0,
  settled_at       integer,
  request_id       integer references remito_requests (id),
  shipment_id      integer references shipments (id),
  fencing_token    integer not null default 0,
  lease_expires_at integer,
  retry_at         integer,
  unclear_at       integer
) strict;
create index cancel_requests_new on cancel_requests (id) where accepted_at is null;
create index cancel_requests_open on cancel_requests (carrier, retry_at) where state in ('pending', 'sending', 'unknown');
create index cancel_requests_of_order on cancel_requests (order_number, parcel_group);
create index cancel_requests_for_people on cancel_requests (id) where state = 'needs_operator';

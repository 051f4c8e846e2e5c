-- The first schema. README.md of the folder above describes every table; both engines have the same names.
--
-- Instants are integers: microseconds since the epoch, UTC; their columns end in _at and are null until it happened.
-- Texts are never null: '' means none. Booleans are 0 and 1.

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
                   check (state in ('pending', 'sending', 'granted', 'refused', 'unknown')),
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
  shipment_id      integer references shipments (id)
) strict;
create index remito_requests_new on remito_requests (id) where accepted_at is null;
create index remito_requests_waiting on remito_requests (state, retry_at) where state in ('pending', 'sending');
create index remito_requests_of_order on remito_requests (order_number, parcel_group);

create table shipments (
  id              integer primary key autoincrement,
  -- the platform writes, for existing remitos that are to be followed
  order_number    text    not null check (order_number <> ''),
  parcel_group    integer not null default 1 check (parcel_group between 1 and 2147483647),
  carrier         text    not null check (carrier <> ''),
  remito          text    not null check (remito <> ''),
  related_remito  text    not null default '',
  baseline        integer not null default 0 check (baseline in (0, 1)),
  registered_at   integer,
  -- the daemon writes
  accepted_at     integer,
  request_id      integer references remito_requests (id),
  cycle           integer not null default 0,
  status          text    not null default 'registered' check (status in (
                    'registered', 'picked_up', 'in_transit', 'out_for_delivery', 'available_for_pickup',
                    'attempt_failed', 'delivered', 'returning', 'returned', 'exception', 'cancelled', 'expired',
                    'unmapped')),
  reason          text    not null default '',
  status_at       integer,
  detected_at     integer,
  attempts_failed integer not null default 0,
  baseline_at     integer,
  terminal_at     integer,
  ended_at        integer,
  unique (carrier, remito, cycle)
) strict;
-- A carrier uses a number again only after its last shipment has ended.
create unique index shipments_open_remito on shipments (carrier, remito) where ended_at is null;
create index shipments_new on shipments (id) where accepted_at is null;
create index shipments_of_order on shipments (order_number);
create index shipments_terminal on shipments (carrier, terminal_at) where ended_at is null and terminal_at is not null;
create index shipments_unfinished on shipments (carrier, accepted_at)
  where ended_at is null and accepted_at is not null and terminal_at is null;

create table tracking_events (
  shipment_id      integer not null references shipments (id),
  event_key        text    not null,
  code             text    not null,
  text             text    not null,
  status           text    not null,
  reason           text    not null,
  occurred_at      integer,
  zone_source      text    not null,
  date_only        integer not null check (date_only in (0, 1)),
  resolved_by_rule integer not null check (resolved_by_rule in (0, 1)),
  place            text    not null,
  position         integer not null,
  baseline         integer not null check (baseline in (0, 1)),
  detected_at      integer not null,
  primary key (shipment_id, event_key)
) strict, without rowid;

create table transitions (
  id           integer primary key autoincrement,
  seq          integer unique,
  subject      text    not null check (subject in ('request', 'shipment')),
  shipment_id  integer references shipments (id),
  request_id   integer references remito_requests (id),
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
  occurred_at  integer,
  zone_source  text    not null default '',
  date_only    integer not null default 0 check (date_only in (0, 1)),
  detected_at  integer not null,
  inferred     integer not null default 0 check (inferred in (0, 1)),
  late         integer not null default 0 check (late in (0, 1)),
  correction   integer not null default 0 check (correction in (0, 1)),
  created_at   integer not null,
  dispatched_at integer
) strict;
-- What was said once is never said again, whatever a program does.
create unique index transitions_once on transitions (shipment_id, event_key, to_status, inferred)
  where subject = 'shipment';
create unique index transitions_once_of_request on transitions (request_id, to_status) where subject = 'request';
create index transitions_without_seq on transitions (id) where seq is null;
create index transitions_of_order on transitions (order_number);

create table resync_requests (
  id           integer primary key autoincrement,
  -- who asks writes
  target       text    not null,
  since_at     integer,
  requested_at integer not null default (cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer) * 1000),
  -- the daemon writes
  accepted_at  integer,
  finished_at  integer,
  shipments    integer not null default 0,
  error        text    not null default ''
) strict;
create index resync_requests_unfinished on resync_requests (id) where finished_at is null;

create table raw_answers (
  id           integer primary key autoincrement,
  carrier      text    not null,
  operation    text    not null,
  remito       text    not null,
  why          text    not null,
  http_status  integer not null,
  content_type text    not null,
  body         text    not null,
  kept_at      integer not null
) strict;
create index raw_answers_of_carrier on raw_answers (carrier, id);

create table unmapped_codes (
  carrier       text    not null,
  code          text    not null,
  text          text    not null,
  seen          integer not null,
  first_seen_at integer not null,
  last_seen_at  integer not null,
  primary key (carrier, code)
) strict, without rowid;
create index unmapped_codes_seen on unmapped_codes (last_seen_at);

create table lane_checkpoints (
  carrier  text    not null primary key,
  asked    text    not null,
  saved_at integer not null
) strict, without rowid;

create table counters (
  name  text    not null primary key,
  value integer not null
) strict, without rowid;
insert into counters (name, value) values ('transition_seq', 0);

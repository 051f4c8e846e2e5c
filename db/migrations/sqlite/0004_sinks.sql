-- Where transitions are pushed to. README.md of the folder above describes the tables.

create table sinks (
  name             text    not null primary key,
  -- every transition up to here was delivered, or has a row in sink_letters
  cursor_seq       integer not null,
  disabled_at      integer,
  disabled_why     text    not null default '',
  -- counts changes by others than the owner, who then reads the letters anew
  revision         integer not null default 0,
  owner            text    not null default '',
  fencing_token    integer not null default 0,
  lease_expires_at integer
) strict, without rowid;

-- Transitions that were not delivered at once: those that failed, and those that wait behind one.
create table sink_letters (
  sink        text    not null references sinks (name),
  seq         integer not null references transitions (seq),
  state       text    not null check (state in ('waiting', 'dead')),
  attempts    integer not null,
  next_try_at integer not null,
  failed_at   integer,
  error       text    not null default '',
  primary key (sink, seq)
) strict, without rowid;
create index sink_letters_by_state on sink_letters (sink, state, seq);

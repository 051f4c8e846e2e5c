-- Where transitions are pushed to. README.md of the folder above describes the tables.

create table sinks (
  name             text    not null primary key,
  -- every transition up to here was delivered, or has a row in sink_letters
  cursor_seq       bigint  not null,
  disabled_at      bigint,
  disabled_why     text    not null default '',
  -- counts changes by others than the owner, who then reads the letters anew
  revision         bigint  not null default 0,
  owner            text    not null default '',
  fencing_token    bigint  not null default 0,
  lease_expires_at bigint
) with (fillfactor = 50);  -- a row that is written every second

-- Transitions that were not delivered at once: those that failed, and those that wait behind one.
create table sink_letters (
  sink        text    not null references sinks (name),
  seq         bigint  not null references transitions (seq),
  state       text    not null check (state in ('waiting', 'dead')),
  attempts    integer not null,
  next_try_at bigint  not null,
  failed_at   bigint,
  error       text    not null default '',
  primary key (sink, seq)
);
create index sink_letters_by_state on sink_letters (sink, state, seq);

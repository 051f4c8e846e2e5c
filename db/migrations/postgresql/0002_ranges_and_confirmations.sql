-- Remitos from ranges of numbers given ahead, and requests that a carrier accepts now and grants or refuses later.

alter table remito_requests drop constraint remito_requests_state_check;
alter table remito_requests add constraint remito_requests_state_check
  check (state in ('pending', 'sending', 'accepted', 'granted', 'refused', 'unknown'));
alter table remito_requests
  add column proposed_remito text not null default '',
  add column confirm_at      bigint,
  add column confirm_until   bigint;
create index remito_requests_accepted on remito_requests (carrier, confirm_at) where state = 'accepted';

-- Numbers that a carrier gave ahead, each handed out once: `taken` of them are gone, from first_number on.
create table remito_ranges (
  id           bigint  generated always as identity primary key,
  -- who states a range writes; the daemon, where it asks the carrier itself
  carrier      text    not null check (carrier <> ''),
  first_number text    collate "C" not null check (first_number <> ''),
  last_number  text    collate "C" not null,
  stated_at    bigint  not null default (extract(epoch from clock_timestamp()) * 1000000)::bigint,
  -- the daemon writes
  accepted_at  bigint,
  numbers      bigint  not null default 0,
  taken        bigint  not null default 0 check (taken between 0 and numbers),
  error        text    not null default ''
);
create index remito_ranges_new on remito_ranges (id) where accepted_at is null;
create index remito_ranges_open on remito_ranges (carrier, id) where taken < numbers;
create index remito_ranges_of_carrier on remito_ranges (carrier, first_number);

-- One row for each carrier that is asked for further numbers: not again before next_try_at.
create table remito_refills (
  carrier     text    not null primary key,
  next_try_at bigint  not null,
  failures    integer not null default 0,
  error       text    not null default ''
);
create trigger wake_up after insert on remito_ranges for each statement execute function wake_up();

-- As in the first schema: where the role could not be made, there is none to grant to.
do $$
begin
  if exists (select from pg_roles where rolname = 'remitod_platform') then
    grant select on remito_ranges to remitod_platform;
  end if;
end $$;

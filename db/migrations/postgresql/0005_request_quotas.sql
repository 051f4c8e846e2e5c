-- Requests of an hour and of a day that were reserved before they were sent, so that a restart knows of them.

create table request_quotas (
  carrier  text   not null,
  period   text   not null check (period in ('hour', 'day')),
  -- how often the row was written: whoever writes names the revision that it has read
  revision bigint not null,
  -- [{"from": microseconds, "requests": number}, ...]: how many, by the time from which they were reserved
  reserved text   not null,
  saved_at bigint not null,
  primary key (carrier, period)
);

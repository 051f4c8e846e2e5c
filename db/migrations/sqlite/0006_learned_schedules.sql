-- What adaptive schedules have learned of their carriers, so that a restart goes on with it.

create table learned_schedules (
  carrier  text    not null,
  -- 'earlier' is written seldom, 'recent' goes on from it and is written each minute in which something was learned
  part     text    not null check (part in ('earlier', 'recent')),
  -- bytes in base64; scheduler/lane_lessons.h knows what they mean
  learned  text    not null,
  saved_at integer not null,
  primary key (carrier, part)
) strict, without rowid;

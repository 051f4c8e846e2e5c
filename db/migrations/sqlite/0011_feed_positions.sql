-- Up to when each carrier's feed has been asked for what changed. README.md of the folder above describes the table.

create table feed_positions (
  carrier     text    not null primary key,
  asked_until integer not null
) strict, without rowid;

-- The files that carriers left for us and that have been read. README.md of the folder above describes the table.

create table read_files (
  carrier  text   not null,
  name     text   not null,
  bytes    bigint not null,
  -- as the carrier's server writes it, in whatever zone and precision: for being compared
  modified text   not null,
  -- SHA-256 of the bytes, in hex
  content  text   not null,
  reports  bigint not null,
  read_at  bigint not null,
  primary key (carrier, name)
);

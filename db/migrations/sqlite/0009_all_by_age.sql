-- What was only growing goes by age, too, and what went is remembered. README.md of the folder above describes the table.

-- What the clean-up of [retention] came to, by its keys.
create table retention_results (
  kind         text    not null primary key,
  -- in its last round, and in all of them
  removed      integer not null,
  removed_ever integer not null,
  -- rows at the end of the last round that came to its end, and when that was
  kept         integer not null,
  done_at      integer
) strict, without rowid;

create index shipments_without_events on shipments (ended_at) where ended_at is not null and events_removed_at is not null;
create index legacy_statuses_by_age on legacy_statuses (noted_at);
create index erasures_done on erasures (erased_at) where erased_at is not null;
-- Of what refers to rows that go by age: a row that is deleted is looked for there.
create index transitions_of_shipment on transitions (shipment_id) where shipment_id is not null;
create index remito_requests_of_shipment on remito_requests (shipment_id) where shipment_id is not null;
create index cancel_requests_of_shipment on cancel_requests (shipment_id) where shipment_id is not null;

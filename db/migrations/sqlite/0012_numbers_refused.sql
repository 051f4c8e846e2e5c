-- How many numbers of a range a carrier has refused for a request: calls that were put off or never sent are no sign that
-- it will have none of them.

alter table remito_requests add column numbers_refused integer not null default 0;

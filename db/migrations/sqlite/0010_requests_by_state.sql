-- How many requests of each carrier are in which state: without it `--status` reads every request that ever was.
create index remito_requests_by_state on remito_requests (carrier, state);

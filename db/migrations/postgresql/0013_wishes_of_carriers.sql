-- Until when a carrier wanted to be left alone (Retry-After), by its answers to polls and to requests about orders: what
-- was said to one process holds for the next. Null: it did not.

alter table lane_checkpoints add column polls_wished_until bigint;
alter table lane_checkpoints add column orders_wished_until bigint;

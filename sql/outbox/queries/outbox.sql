-- name: put_events
-- Keep events, each a time and a body in a JSON array, in their order.
insert into events (time, body)
select value ->> 0, value ->> 1
from json_each(:events)
order by key;

-- name: add_outcome
-- So many more events came to this end.
insert into outcomes (name, amount, last_at)
values (:name, :amount, :now)
on conflict (name) do update
set amount = amount + excluded.amount, last_at = excluded.last_at;

-- name: outbox_size
-- How many events there are, and how many bytes they take.
select events, bytes
from size;

-- name: first_waiting
-- The next batch: the earliest events that wait.
select id, body
from events
where sent_at is null
order by id
limit :most;

-- name: hand_over
-- Those up to this one are in flight from now on.
update events
set sent_at = :now
where sent_at is null and id <= :last;

-- name: take_back
-- Those in flight did not leave: they wait again.
update events
set sent_at = null
where sent_at is not null;

-- name: forget_handed_over
-- Those in flight have come to an end.
delete from events
where sent_at is not null;

-- name: in_flight
-- How many events were handed over and have no outcome yet.
select count(*)
from events
where sent_at is not null;

-- name: oldest_waiting
-- When the event came that waits longest; none where none waits.
select time
from events
where sent_at is null
order by id
limit 1;

-- name: outcomes
-- What became of the others.
select name, amount, last_at
from outcomes;

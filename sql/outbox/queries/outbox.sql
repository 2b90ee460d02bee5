-- name: put_events
-- Keep events, each a time, a client and a body in a JSON array, in their order.
insert into events (time, client, body)
select value ->> 0, value ->> 1, value ->> 2
from json_each(:events)
order by key;

-- name: claim_report
-- The first to report an event under this key; changes nothing for the second.
insert or ignore into reported (key, time)
values (:key, :now);

-- name: forget_reports
-- Keys so old that nobody reports under them any more.
delete from reported
where time < :before;

-- name: add_outcome
-- So many more events came to this end; a sample of why replaces the last one.
insert into outcomes (name, amount, last_at, sample)
values (:name, :amount, :now, :sample)
on conflict (name) do update
set amount = amount + excluded.amount,
    last_at = excluded.last_at,
    sample = case when excluded.sample = '' then sample else excluded.sample end;

-- name: outbox_size
-- How many events there are, and how many bytes they take.
select events, bytes
from size;

-- name: client_size
-- The same of one client; none where nothing of it is there.
select events, bytes
from clients
where client = :client;

-- name: largest_waiting
-- The event that makes room when the outbox is full.
select id, client, length(body)
from events
where sent_at is null
order by length(body) desc
limit 1;

-- name: remove_event
-- One event goes, to make room.
delete from events
where id = :id;

-- name: add_drop
-- So many events of a client were dropped for this reason. Clients beyond the limit share a row.
insert into drops (reason, client, amount, last_at)
select
    :reason,
    case when
        exists (select 1 from drops where reason = :reason and client = :client)
        or (select count(*) from drops) < :most
    then :client else '' end,
    :amount,
    :now
where true
on conflict (reason, client) do update
set amount = amount + excluded.amount, last_at = excluded.last_at;

-- name: forget_drops
-- What was dropped so long ago that it is no news.
delete from drops
where last_at < :before;

-- name: drops
-- How many events were dropped for each reason, of how many clients.
select reason, sum(amount), count(*), max(last_at)
from drops
group by reason;

-- name: first_waiting
-- The earliest event that waits.
select id, time, body
from events
where sent_at is null
order by id
limit 1;

-- name: hand_over
-- It is in flight from now on.
update events
set sent_at = :now
where id = :id;

-- name: take_back
-- What is in flight did not leave: it waits again.
update events
set sent_at = null
where sent_at is not null;

-- name: forget_sent
-- This event, which was in flight, has come to an end.
delete from events
where id = :id and sent_at is not null;

-- name: forget_in_flight
-- All that is in flight has come to an end.
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
select name, amount, last_at, sample
from outcomes;

-- name: download_request
-- One batch. What becomes of a request is decided by the triggers on the view.
insert into download_requests (
    project, version, asset, ip_hash, user_agent, classification, time
)
select
    value ->> 'project',
    value ->> 'version',
    value ->> 'asset',
    value ->> 'ip_hash',
    value ->> 'user_agent',
    value ->> 'classification',
    value ->> 'time'
from json_each(:batch, '$.download_request')
order by key

-- name: clone
-- One batch.
insert into clones (project, timestamp, ip_hash, user_agent)
select
    value ->> 'project',
    datetime(value ->> 'time', 'unixepoch'),
    value ->> 'ip_hash',
    substr(value ->> 'user_agent', 1, 1024)
from json_each(:batch, '$.clone')
order by key

-- name: tool_use
-- One batch.
insert into tool_usage (tool, event, timestamp, ip_hash, user_agent)
select
    value ->> 'tool',
    value ->> 'event',
    datetime(value ->> 'time', 'unixepoch'),
    value ->> 'ip_hash',
    substr(value ->> 'user_agent', 1, 1024)
from json_each(:batch, '$.tool_use')
order by key

-- name: catalog_interaction
-- One batch.
insert into catalog_interactions (event, detail, result_count, timestamp, ip_hash)
select
    value ->> 'event',
    value ->> 'detail',
    value ->> 'result_count',
    datetime(value ->> 'time', 'unixepoch'),
    value ->> 'ip_hash'
from json_each(:batch, '$.catalog_interaction')
order by key

-- name: traffic
-- One batch.
insert into traffic_totals (hour, name, amount)
select
    strftime('%Y-%m-%d %H:00', value ->> 'time', 'unixepoch'),
    value ->> 'name',
    value ->> 'amount'
from json_each(:batch, '$.traffic')
where true
order by key
on conflict do update set amount = amount + excluded.amount

-- name: prune_window
-- Entries that can decide nothing any more. An hour and not the window itself: a spilled request
-- is decided late.
delete from download_window
where abs(:now - seen) > 3600

-- name: spill_offset
-- How far a spill file has been replayed, in bytes.
select replayed
from spill_offsets
where spill = :spill

-- name: advance_spill
-- In the transaction of the rows up to there.
insert into spill_offsets (spill, replayed)
values (:spill, :replayed)
on conflict do update set replayed = excluded.replayed

-- name: forget_spill
-- The file has a new id, so nothing asks for the old one again.
delete from spill_offsets
where spill = :spill

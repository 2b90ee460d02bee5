-- name: set_operation
-- The last time of one of the operator's commands.
insert into operations (name, at, detail)
values (:name, :at, :detail)
on conflict do update set at = excluded.at, detail = excluded.detail

-- name: prune_horizon
-- The day before which rows are gone.
select detail
from operations
where name = 'prune'

-- name: set_prune_horizon
-- It only ever moves on.
insert into operations (name, at, detail)
values ('prune', datetime('now'), :before)
on conflict do update set at = excluded.at, detail = max(detail, excluded.detail)

-- name: event_ids
-- The first and the last id of each table of events; null where there is no row.
select 'downloads', (select min(id) from downloads), (select max(id) from downloads)
union all
select 'clones', (select min(id) from clones), (select max(id) from clones)
union all
select 'tools', (select min(id) from tool_usage), (select max(id) from tool_usage)
union all
select
    'catalog',
    (select min(id) from catalog_interactions),
    (select max(id) from catalog_interactions)

-- name: old_downloads
-- How many rows are older than :before, and the first and last day of these.
select count(*), min(date(timestamp)), max(date(timestamp))
from downloads
where id > 0 and timestamp < :before

-- name: old_clones
-- The same of clones.
select count(*), min(date(timestamp)), max(date(timestamp))
from clones
where id > 0 and timestamp < :before

-- name: old_tools
-- The same of tool_usage.
select count(*), min(date(timestamp)), max(date(timestamp))
from tool_usage
where id > 0 and timestamp < :before

-- name: old_catalog
-- The same of catalog_interactions.
select count(*), min(date(timestamp)), max(date(timestamp))
from catalog_interactions
where id > 0 and timestamp < :before

-- name: old_clients
-- Whether there are clients that were last seen before :before.
select exists (select 1 from clients where last_day < :before)

-- name: next_old_downloads
-- The last of the next :limit of them, none beyond :counted; null where there are no more.
select max(id)
from (
    select id
    from downloads
    where id > :after and id <= :counted and timestamp < :before
    order by id
    limit :limit
)

-- name: next_old_clones
-- The same of clones.
select max(id)
from (
    select id
    from clones
    where id > :after and id <= :counted and timestamp < :before
    order by id
    limit :limit
)

-- name: next_old_tools
-- The same of tool_usage.
select max(id)
from (
    select id
    from tool_usage
    where id > :after and id <= :counted and timestamp < :before
    order by id
    limit :limit
)

-- name: next_old_catalog
-- The same of catalog_interactions.
select max(id)
from (
    select id
    from catalog_interactions
    where id > :after and id <= :counted and timestamp < :before
    order by id
    limit :limit
)

-- name: prune_downloads
-- They go; their totals stay.
delete from downloads
where id > :after and id <= :upto and timestamp < :before

-- name: prune_clones
-- The same of clones.
delete from clones
where id > :after and id <= :upto and timestamp < :before

-- name: prune_tools
-- The same of tool_usage.
delete from tool_usage
where id > :after and id <= :upto and timestamp < :before

-- name: prune_catalog
-- The same of catalog_interactions.
delete from catalog_interactions
where id > :after and id <= :upto and timestamp < :before

-- name: next_old_clients
-- The last of the next :limit clients that were last seen before :before; null at the end.
select max(ip_hash)
from (
    select ip_hash
    from clients
    where ip_hash > :after and last_day < :before
    order by ip_hash
    limit :limit
)

-- name: prune_clients
-- No trigger: what they were counted in stays as it is.
delete from clients
where ip_hash > :after and ip_hash <= :upto and last_day < :before

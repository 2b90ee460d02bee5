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
-- Move the horizon on; it never moves back.
insert into operations (name, at, detail)
values ('prune', datetime('now'), :before)
on conflict do update set at = excluded.at, detail = max(detail, excluded.detail)

-- name: event_ids
-- The first and the last id of each table of events; null where there is no row.
{% for section in sections %}
{{ "union all" if not loop.first }}
select
    '{{ section.id }}',
    (select min(id) from {{ section.events }}),
    (select max(id) from {{ section.events }})
{% endfor %}

{% for section in sections %}
-- name: old_{{ section.id }}
-- How many rows are older than :before, and the first and last day of these.
select count(*), min(date(timestamp)), max(date(timestamp))
from {{ section.events }}
where id > 0 and timestamp < :before

{% endfor %}

-- name: old_clients
-- Whether there are clients that were last seen before :before.
select exists (select 1 from clients where last_day < :before)

{% for section in sections %}
-- name: next_old_{{ section.id }}
-- The last of the next :limit old rows, none beyond :counted; null where there are no more.
select max(id)
from (
    select id
    from {{ section.events }}
    where id > :after and id <= :counted and timestamp < :before
    order by id
    limit :limit
)

{% endfor %}

{% for section in sections %}
-- name: prune_{{ section.id }}
-- Delete old rows; their totals stay.
delete from {{ section.events }}
where id > :after and id <= :upto and timestamp < :before

{% endfor %}

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

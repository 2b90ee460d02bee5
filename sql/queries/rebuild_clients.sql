-- name: fresh_scopes
-- The day that each client was last seen at each thing, by the rows that are counted: for 13.5
-- million of them a minute, most of it to sort by client.
insert into fresh_scopes (ip_hash, section, scope, last_day)
select ip_hash, section, scope, max(day)
from (
{% for section in sections %}
    {{ "union all" if not loop.first }}
    select ip_hash, '{{ section.id }}' as section, {{ section.scope }} as scope, date(timestamp) as day
    from {{ section.events }}
    where id > 0 and id <= :{{ section.id }} and timestamp >= :horizon
{% endfor %}
)
group by ip_hash, section, scope

-- name: fresh_sections
-- The day that each client was last seen at in each section.
insert into fresh_sections (ip_hash, section, last_day)
select ip_hash, section, max(last_day)
from fresh_scopes
group by ip_hash, section

-- name: compare_clients
-- Those that are missing, or of another day. Both tables are read in the order of their keys.
insert into client_changes (ip_hash, section, scope, last_day)
select fresh.ip_hash, fresh.section, fresh.scope, fresh.last_day
from fresh_clients as fresh
left join clients on clients.ip_hash = fresh.ip_hash
    and clients.section = fresh.section
    and clients.scope = fresh.scope
where clients.last_day is not fresh.last_day

-- name: surplus_clients
-- How many more there are than there should be, once none is missing.
select
    (select count(*) from clients where last_day >= :horizon)
    - (select count(*) from fresh_clients)

-- name: find_surplus_clients
-- Clients that no counted row names.
insert into client_changes (ip_hash, section, scope)
select ip_hash, section, scope
from clients
where last_day >= :horizon
    and not exists (
        select 1
        from fresh_scopes
        where fresh_scopes.ip_hash = clients.ip_hash
            and fresh_scopes.section = clients.section
            and fresh_scopes.scope = clients.scope
    )
    and not exists (
        select 1
        from fresh_sections
        where fresh_sections.ip_hash = clients.ip_hash
            and fresh_sections.section = clients.section
            and clients.scope = ''
    )

-- name: client_changes
-- How many clients differ.
select count(*) from client_changes

-- name: forget_client_changes
-- Empty the list of differences, once they are written.
delete from client_changes

-- name: mend_clients
-- The triggers count them, wrongly where the counts were wrong: those are mended afterwards.
insert into clients (ip_hash, section, scope, last_day)
select ip_hash, section, scope, last_day
from client_changes
where n > :after and n <= :upto and last_day is not null
on conflict do update set last_day = excluded.last_day

-- name: drop_clients
-- Delete clients that no counted row names.
delete from clients
where (ip_hash, section, scope) in (
    select ip_hash, section, scope
    from client_changes
    where n > :after and n <= :upto and last_day is null
)

-- name: fresh_client_totals
-- How many were last seen on each day. One by one: a group by would sort them all for it.
insert into fresh_client_totals (section, scope, last_day, count)
select section, scope, last_day, 1
from fresh_clients
where true
on conflict do update set count = count + 1

-- name: fresh_visits
-- The days since :since on which each client was seen at each thing.
insert into client_visits (section, scope, ip_hash, day)
select section, scope, ip_hash, day
from (
{% for section in sections %}
    {{ "union all" if not loop.first }}
    select '{{ section.id }}' as section, {{ section.scope }} as scope, ip_hash, date(timestamp) as day
    from {{ section.events }}
    where id > 0 and id <= :{{ section.id }} and timestamp >= :since
{% endfor %}
)
group by section, scope, ip_hash, day

-- name: fresh_section_visits
-- The same days for each section as a whole.
insert into client_visits (section, scope, ip_hash, day)
select section, '', ip_hash, day
from client_visits
group by section, ip_hash, day
on conflict do nothing

-- name: fresh_client_days
-- The clients of each day; and of the 30 days that end with it, for the days from :since_30 on that
-- are over (before :today). A client counts for these from each day it was seen on until it is seen
-- again, 30 days at most; so they are a running sum of those that enter and leave.
insert into fresh_client_days (section, scope, day, count, days_30)
with recursive days (day) as (
    select :since
    union all
    select date(day, '+1 day') from days where day < date(:today, '-1 day')
),
visits as (
    select
        section,
        scope,
        day,
        lead(day, 1, '9999-12-31') over (
            partition by section, scope, ip_hash order by day
        ) as again
    from client_visits
),
edges (section, scope, day, seen, change) as (
    select section, scope, day, count(*), count(*)
    from visits
    group by section, scope, day
    union all
    select section, scope, min(date(day, '+30 days'), again) as until, 0, -count(*)
    from visits
    group by section, scope, until
),
changes as (
    select section, scope, day, sum(seen) as seen, sum(change) as change
    from edges
    group by section, scope, day
),
scopes as (
    select distinct section, scope from changes
),
windows as (
    select
        scopes.section,
        scopes.scope,
        days.day,
        sum(change) over (
            partition by scopes.section, scopes.scope order by days.day
        ) as days_30
    from scopes
    cross join days
    left join changes using (section, scope, day)
)
select section, scope, day, sum(seen), max(days_30)
from (
    select section, scope, day, seen, null as days_30
    from changes
    where seen > 0
    union all
    select section, scope, day, 0, days_30
    from windows
    where day >= :since_30 and day < :today and days_30 > 0
)
where day >= :since_90
group by section, scope, day

-- name: earlier_client_days
-- Days before these stay as they are, whatever the triggers do to them while clients are mended.
insert into fresh_client_days (section, scope, day, count, days_30)
select section, scope, day, count, days_30
from client_days
where day < :since_90

-- name: mend_client_totals
-- Those that differ. This and what follows is one transaction.
insert into client_totals (section, scope, last_day, count)
select section, scope, last_day, fresh.count
from fresh_client_totals as fresh
left join client_totals as stored using (section, scope, last_day)
where stored.count is not fresh.count
on conflict do update set count = excluded.count

-- name: drop_client_totals
-- Those of nobody; before :horizon they are frozen.
delete from client_totals
where last_day >= :horizon and count <> 0 and not exists (
    select 1
    from fresh_client_totals as fresh
    where fresh.section = client_totals.section
        and fresh.scope = client_totals.scope
        and fresh.last_day = client_totals.last_day
)

-- name: mend_client_sums
-- Correct the number of all clients that were ever seen, with the frozen ones.
insert into client_sums (section, scope, count)
select section, scope, fresh.count
from (
    select section, scope, sum(count) as count from client_totals group by section, scope
) as fresh
left join client_sums as stored using (section, scope)
where stored.count is not fresh.count
on conflict do update set count = excluded.count

-- name: drop_client_sums
-- Delete numbers of clients that are zero.
delete from client_sums
where count <> 0 and not exists (
    select 1
    from client_totals
    where client_totals.section = client_sums.section
        and client_totals.scope = client_sums.scope
)

-- name: mend_client_days
-- Those that differ; windows that reach back behind the rows stay as they are.
insert into client_days (section, scope, day, count, days_30)
select section, scope, day, fresh.count, fresh.days_30
from fresh_client_days as fresh
left join client_days as stored using (section, scope, day)
where stored.count is not fresh.count
    or (day >= :since_30 and stored.days_30 is not fresh.days_30)
on conflict do update set
    count = excluded.count,
    days_30 = case when day >= :since_30 then excluded.days_30 else days_30 end

-- name: empty_client_days
-- Set the days on which no client was seen to zero.
update client_days
set
    count = 0,
    days_30 = case when day < :since_30 then days_30 end
where (count <> 0 or (day >= :since_30 and coalesce(days_30, 0) <> 0))
    and not exists (
        select 1
        from fresh_client_days as fresh
        where fresh.section = client_days.section
            and fresh.scope = client_days.scope
            and fresh.day = client_days.day
    )

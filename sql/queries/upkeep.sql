-- name: counted_day_from
-- The first day from :day on that has counts; null where there is none.
select min(day)
from (
{% for section in sections %}
    {{ "union all" if not loop.first }}
    select day from (
        select day from {{ section.totals }} where day >= :day order by day limit 1
    )
{% endfor %}
    union all
    select day from (
        select day from request_totals where day >= :day order by day limit 1
    )
)

-- name: counted_day_before
-- The last day before :day that has counts; null where there is none.
select max(day)
from (
{% for section in sections %}
    {{ "union all" if not loop.first }}
    select day from (
        select day from {{ section.totals }} where day < :day order by day desc limit 1
    )
{% endfor %}
    union all
    select day from (
        select day from request_totals where day < :day order by day desc limit 1
    )
)

-- name: roll_counts
-- The day :entering is over. Its counts enter every window, those of :leaving_30 and :leaving_90
-- leave theirs, and the 30 days before gain and lose a day. With a :sign of -1 it is undone.
insert into rollups (section, k1, k2, k3, days_30, days_before, days_90, days_all, results)
select
    section,
    k1,
    k2,
    k3,
    :sign * sum(case day when :entering then count when :leaving_30 then -count else 0 end),
    :sign * sum(case day when :leaving_30 then count when :leaving_before then -count else 0 end),
    :sign * sum(case day when :entering then count when :leaving_90 then -count else 0 end),
    :sign * sum(case day when :entering then count else 0 end),
    max(case day when :entering then results end)
from day_counts
where day in (:entering, :leaving_30, :leaving_before, :leaving_90)
group by section, k1, k2, k3
on conflict do update set
    days_30 = days_30 + excluded.days_30,
    days_before = days_before + excluded.days_before,
    days_90 = days_90 + excluded.days_90,
    days_all = days_all + excluded.days_all,
    results = coalesce(excluded.results, results)

-- name: roll_day
-- Move the sums of that day into the windows.
insert into day_rollups (section, day, k1, count)
select section, day, k1, sum(count)
from day_counts
where day = :day
group by section, day, k1

-- name: unroll_day
-- The day is not over after all: the clock was set back.
delete from day_rollups
where day = :day

-- name: forget_empty_rollups
-- What only the day had that is not over after all.
delete from rollups
where days_all = 0

-- name: set_rollup_day
-- Windows end on this day.
update rollup_day
set day = :day

-- name: client_day
-- The day whose rows are being counted; null before the first.
select day
from client_day

-- name: set_client_day
-- The day whose rows are being counted.
update client_day
set day = :day

-- name: first_day
-- The day of the first row of all; null where there is none.
select min(day)
from (
{% for section in sections %}
    {{ "union all" if not loop.first }}
    select date(timestamp) as day
    from (select timestamp from {{ section.events }} where id > 0 order by id limit 1)
{% endfor %}
)

-- name: client_progress
-- How far each table's rows are counted.
select section, counted
from client_progress

-- name: set_client_progress
-- Store how far rows are counted, in the transaction of the clients up to there.
update client_progress
set counted = :upto
where section = :section

{% for section in sections %}
-- name: next_{{ section.id }}
-- The last of the next :limit rows that are of no later day than :day, and whether it is the last
-- of them all.
with next as (
    select id, date(timestamp) as day
    from {{ section.events }}
    where id > :after
    order by id
    limit :limit
),
later as (
    select min(id) as id from next where day > :day
)
select
    max(next.id) filter (where later.id is null or next.id < later.id),
    later.id is not null or count(next.id) < :limit
from later
left join next

{% endfor %}

{% for section in sections %}
-- name: clients_of_{{ section.id }}
-- Those of the rows after :after, up to :upto: by scope, and of the whole section (scope '').
insert into clients (ip_hash, section, scope, last_day)
select ip_hash, '{{ section.id }}', scope, max(day)
from (
    select ip_hash, {{ section.scope }} as scope, date(timestamp) as day
    from {{ section.events }}
    where id > :after and id <= :upto
    union all
    select ip_hash, '', date(timestamp)
    from {{ section.events }}
    where id > :after and id <= :upto
)
group by ip_hash, scope
on conflict do update set last_day = excluded.last_day
where excluded.last_day > last_day

{% endfor %}

-- name: next_client_day
-- The earliest day after :day that has rows to be counted or clients that were seen already; null
-- where there is none.
select min(day)
from (
    select min(last_day) as day from client_totals where last_day > :day and count > 0
    union all
{% for section in sections %}
    {{ "union all" if not loop.first }}
    select date(timestamp) from (
        select timestamp
        from {{ section.events }}
        where id > (select counted from client_progress where section = '{{ section.id }}')
        order by id
        limit 1
    )
{% endfor %}
)

-- name: close_client_day
-- The day is over: the distinct clients of the 30 days that ended with it. Where a clock that was
-- set has closed it twice, the greater number is right: a client is missing in the smaller one, as
-- it had not come yet, or has come again since.
insert into client_days (section, scope, day, count, days_30)
select section, scope, :day, 0, sum(count)
from client_totals
where last_day between :since_30 and :day
group by section, scope
on conflict do update set days_30 = max(excluded.days_30, coalesce(days_30, 0))

-- name: section_by_1
-- What a section has counted in the last 30 days, the 30 before, the last 90 and ever, by the first
-- key: project. Windows are whole UTC days and end today; those first that lead the :window.
select
    k1,
    sum(days_30) as days_30,
    sum(days_before) as days_before,
    sum(days_90) as days_90,
    sum(days_all) as days_all
from current_counts
where section = :section and from_day <= :today
group by k1
order by
    case :window when '30' then sum(days_30) when '90' then sum(days_90) end desc,
    days_all desc,
    k1
limit :limit

-- name: section_by_2
-- By the first two keys: project and version, or tool and event.
select
    k1,
    k2,
    sum(days_30) as days_30,
    sum(days_before) as days_before,
    sum(days_90) as days_90,
    sum(days_all) as days_all
from current_counts
where section = :section and from_day <= :today
group by k1, k2
order by
    case :window when '30' then sum(days_30) when '90' then sum(days_90) end desc,
    days_all desc,
    k1,
    k2
limit :limit

-- name: section_by_3
-- By all three keys: project, version and asset.
select
    k1,
    k2,
    k3,
    sum(days_30) as days_30,
    sum(days_before) as days_before,
    sum(days_90) as days_90,
    sum(days_all) as days_all
from current_counts
where section = :section and from_day <= :today
group by k1, k2, k3
order by
    case :window when '30' then sum(days_30) when '90' then sum(days_90) end desc,
    days_all desc,
    k1,
    k2,
    k3
limit :limit

-- name: requests_by_verdict
-- What every request for an asset was found to be, most frequent first; 'counted' are downloads.
select
    k2 as verdict,
    sum(days_30) as days_30,
    sum(days_before) as days_before,
    sum(days_90) as days_90,
    sum(days_all) as days_all
from current_counts
where section = 'requests' and from_day <= :today
group by k2
order by
    case :window when '30' then sum(days_30) when '90' then sum(days_90) end desc,
    days_all desc,
    k2
limit :limit

-- name: catalog_by_event
-- The events of the catalog. From the sums of days: there are far more details.
select
    k1,
    coalesce(sum(count) filter (where day >= :since_30), 0) as days_30,
    coalesce(sum(count) filter (where day >= :since_60 and day < :since_30), 0) as days_before,
    coalesce(sum(count) filter (where day >= :since_90), 0) as days_90,
    sum(count) as days_all
from (
    select day, k1, count
    from day_rollups
    where section = 'catalog'
    union all
    select day, k1, count
    from live_counts
    where section = 'catalog'
)
where day <= :today and k1 <> 'empty_search'
group by k1
order by
    case :window when '30' then days_30 when '90' then days_90 end desc,
    days_all desc,
    k1
limit :limit

-- name: catalog_top
-- The details of one event of the catalog, those first that lead the :window, and what the last
-- search found. Only the first of those that are rolled up can be among the first of all, and any
-- that happened today: so few are looked at.
with today as (
    select detail, sum(count) as count, max(day), results
    from catalog_totals
    where day >= :live and day <= :today and event = :event
    group by detail
),
leading_30 as (
    select k2
    from rollups
    where section = 'catalog' and k1 = :event
    order by days_30 desc, days_90 desc, days_all desc, k2
    limit case :window when '30' then :limit else 0 end
),
leading_90 as (
    select k2
    from rollups
    where section = 'catalog' and k1 = :event
    order by days_90 desc, days_all desc, k2
    limit case :window when '90' then :limit else 0 end
),
leading_all as (
    select k2
    from rollups
    where section = 'catalog' and k1 = :event
    order by days_all desc, k2
    limit case :window when 'all' then :limit else 0 end
),
candidates (detail) as (
    select k2 from leading_30
    union
    select k2 from leading_90
    union
    select k2 from leading_all
    union
    select detail from today
),
counts (detail, days_30, days_before, days_90, days_all, results, recent) as (
    select k2, days_30, days_before, days_90, days_all, results, 0
    from candidates
    cross join rollups on section = 'catalog' and k1 = :event and k2 = detail and k3 = ''
    union all
    select detail, count, 0, count, count, results, 1
    from today
)
select
    detail,
    sum(days_30) as days_30,
    sum(days_before) as days_before,
    sum(days_90) as days_90,
    sum(days_all) as days_all,
    coalesce(max(case recent when 1 then results end), max(results)) as results
from counts
group by detail
order by
    case :window when '30' then sum(days_30) when '90' then sum(days_90) end desc,
    case :window when '30' then sum(days_90) end desc,
    sum(days_all) desc,
    detail
limit :limit

-- name: days
-- What each section has counted on each day since :since. Both parts are summed by themselves:
-- one sum over their union takes eight times as long.
select section, day, sum(count) as count
from (
    select section, day, sum(count) as count
    from day_rollups
    where section in (
            {% for section in sections %}'{{ section.id }}'{{ ", " if not loop.last }}{% endfor %}

        )
        and day between :since and :today
        and k1 <> 'empty_search'
    group by section, day
    union all
    select section, day, sum(count)
    from live_counts
    where section <> 'requests' and day between :since and :today and k1 <> 'empty_search'
    group by section, day
)
group by section, day
order by section, day

-- name: clients_in_windows
-- The distinct clients of each section and scope. Those of the 30 days before were counted when
-- these were over, on :before.
select
    client_sums.section,
    client_sums.scope,
    coalesce(sum(client_totals.count) filter (where last_day >= :since_30), 0) as days_30,
    (
        select client_days.days_30
        from client_days
        where client_days.section = client_sums.section
            and client_days.scope = client_sums.scope
            and day = :before
    ) as days_before,
    coalesce(sum(client_totals.count), 0) as days_90,
    client_sums.count as days_all
from client_sums
left join client_totals
    on client_totals.section = client_sums.section
    and client_totals.scope = client_sums.scope
    and client_totals.last_day >= :since_90
group by client_sums.section, client_sums.scope

-- name: client_days
-- The distinct clients of each whole section on each day since :since.
select client_days.section, day, client_days.count
from client_sums
cross join client_days
    on client_days.section = client_sums.section
    and client_days.scope = ''
    and day between :since and :today
where client_sums.scope = ''
order by client_days.section, day

-- name: rolled_up_to
-- The day on which the windows end.
select day from rollup_day

-- name: uncounted_since
-- The earliest row whose client is not counted yet; null where all are.
select min(timestamp)
from (
{% for section in sections %}
    {{ "union all" if not loop.first }}
    select timestamp from (
        select timestamp
        from {{ section.events }}
        where id > (select counted from client_progress where section = '{{ section.id }}')
        order by id
        limit 1
    )
{% endfor %}
)

-- name: traffic_sums
-- What was relayed and what failed since the hour :since, and ever.
select
    name,
    coalesce(sum(amount) filter (where hour >= :since), 0) as recent,
    sum(amount) as ever
from traffic_totals
group by name

-- name: operations
-- The last time of each of the operator's commands.
select name, at, detail
from operations

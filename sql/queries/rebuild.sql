{% for section in sections %}
-- name: fresh_{{ section.id }}
-- What the rows after :after, up to :upto, add to the totals.
{% if section.results %}
-- The results are of the row with the greatest id: SQLite's rule for bare columns beside max().
insert into fresh_counts (section, day, k1, k2, k3, count, results)
select '{{ section.id }}', day, {{ section.padded }}, count, {{ section.results }}
from (
    select
        date(timestamp) as day,
        {{ section.key_list }},
        count(*) as count,
        {{ section.results }},
        max(id)
    from {{ section.events }}
    where id > :after and id <= :upto and timestamp >= :horizon
    group by day, {{ section.key_list }}
)
where true
on conflict do update set count = count + excluded.count, results = excluded.results
{% else %}
insert into fresh_counts (section, day, k1, k2, k3, count)
select '{{ section.id }}', date(timestamp) as day, {{ section.padded }}, count(*)
from {{ section.events }}
where id > :after and id <= :upto and timestamp >= :horizon
group by day, {{ section.key_list }}
on conflict do update set count = count + excluded.count
{% endif %}

{% endfor %}

-- name: fresh_empty_searches
-- Those of them that found nothing.
insert into fresh_counts (section, day, k1, k2, k3, count, results)
select 'catalog', date(timestamp) as day, 'empty_search', detail, '', count(*), 0
from catalog_interactions
where id > :after and id <= :upto and timestamp >= :horizon
    and event = 'search' and result_count = 0
group by day, detail
on conflict do update set count = count + excluded.count

-- name: fresh_rows
-- How many rows that were.
select coalesce(sum(count), 0)
from fresh_counts
where k1 <> 'empty_search' or section <> 'catalog'

-- name: compare_counts
-- Where the totals of the days from :horizon on differ. Of the requests only those that were counted
-- have rows. The latest first: then late_counts keeps the latest results.
insert into count_changes (section, day, k1, k2, k3, change, results)
with both (section, day, k1, k2, k3, count, results, stored) as (
    select section, day, k1, k2, k3, count, results, null
    from fresh_counts
    union all
    select 'requests', day, k1, 'counted', '', count, null, null
    from fresh_counts
    where section = 'downloads'
    union all
    select section, day, k1, k2, k3, -count, null, results
    from day_counts
    where day >= :horizon and (section <> 'requests' or k2 = 'counted')
)
select section, day, k1, k2, k3, sum(count), max(results)
from both
group by section, day, k1, k2, k3
having sum(count) <> 0 or max(results) is not max(stored)
order by section, day desc, k1, k2, k3

-- name: count_changes
-- How many.
select count(*) from count_changes

{% for section in sections %}
-- name: mend_{{ section.id }}
-- Changes are added, and so right whatever is counted meanwhile.
{% if section.results %}
-- An event that was recorded meanwhile (after the last row that was read) brought its own results.
insert into {{ section.totals }} (day, {{ section.key_list }}, count, results)
select day, {{ section.k_list }}, change, results
from count_changes
where n > :after and n <= :upto and section = '{{ section.id }}'
on conflict do update set
    count = count + excluded.count,
    results = case
        when exists (
            select 1
            from {{ section.events }} as newer
            where newer.id > :known_{{ section.id }}
            {% for key in section.keys %}
                and newer.{{ key }} = {{ section.totals }}.{{ key }}
            {% endfor %}
                and date(newer.timestamp) = {{ section.totals }}.day
        ) then results
        else excluded.results
    end
{% else %}
insert into {{ section.totals }} (day, {{ section.key_list }}, count)
select day, {{ section.k_list }}, change
from count_changes
where n > :after and n <= :upto and section = '{{ section.id }}'
on conflict do update set count = count + excluded.count
{% endif %}

{% endfor %}

-- name: mend_requests
-- The same of the requests that were counted.
insert into request_totals (day, project, verdict, count)
select day, k1, k2, change
from count_changes
where n > :after and n <= :upto and section = 'requests'
on conflict do update set count = count + excluded.count

{% for section in sections %}
-- name: drop_{{ section.id }}
-- Delete totals of nothing.
delete from {{ section.totals }}
where count <= 0 and (day, {{ section.key_list }}) in (
    select day, {{ section.k_list }}
    from count_changes
    where n > :after and n <= :upto and section = '{{ section.id }}'
)

{% endfor %}

-- name: drop_requests
-- The same of requests.
delete from request_totals
where count <= 0 and (day, project, verdict) in (
    select day, k1, k2
    from count_changes
    where n > :after and n <= :upto and section = 'requests'
)

-- name: compare_rollups
-- Where the sums over days differ from the totals that they are of.
insert into rollup_changes (
    section, k1, k2, k3, days_30, days_before, days_90, days_all, results
)
with both (
    section, k1, k2, k3, days_30, days_before, days_90, days_all, results, stored
) as (
    select section, k1, k2, k3, days_30, days_before, days_90, days_all, results, null
    from fresh_rollups
    union all
    select section, k1, k2, k3, -days_30, -days_before, -days_90, -days_all, null, results
    from rollups
)
select
    section,
    k1,
    k2,
    k3,
    sum(days_30),
    sum(days_before),
    sum(days_90),
    sum(days_all),
    max(results)
from both
group by section, k1, k2, k3
having sum(days_30) <> 0
    or sum(days_before) <> 0
    or sum(days_90) <> 0
    or sum(days_all) <> 0
    or max(results) is not max(stored)

-- name: compare_day_rollups
-- The same of the sums of each day.
insert into day_rollup_changes (section, day, k1, change)
with both (section, day, k1, count) as (
    select section, day, k1, count
    from fresh_day_rollups
    union all
    select section, day, k1, -count
    from day_rollups
)
select section, day, k1, sum(count)
from both
group by section, day, k1
having sum(count) <> 0

-- name: rollup_changes
-- How many.
select count(*) from rollup_changes

-- name: day_rollup_changes
-- How many.
select count(*) from day_rollup_changes

-- name: mend_rollups
-- Added, as above.
insert into rollups (section, k1, k2, k3, days_30, days_before, days_90, days_all, results)
select section, k1, k2, k3, days_30, days_before, days_90, days_all, results
from rollup_changes
where n > :after and n <= :upto
on conflict do update set
    days_30 = days_30 + excluded.days_30,
    days_before = days_before + excluded.days_before,
    days_90 = days_90 + excluded.days_90,
    days_all = days_all + excluded.days_all,
    results = excluded.results

-- name: drop_rollups
-- Sums of nothing.
delete from rollups
where days_all <= 0 and (section, k1, k2, k3) in (
    select section, k1, k2, k3
    from rollup_changes
    where n > :after and n <= :upto
)

-- name: mend_day_rollups
-- Added, as above.
insert into day_rollups (section, day, k1, count)
select section, day, k1, change
from day_rollup_changes
where n > :after and n <= :upto
on conflict do update set count = count + excluded.count

-- name: drop_day_rollups
-- Sums of nothing.
delete from day_rollups
where count <= 0 and (section, day, k1) in (
    select section, day, k1
    from day_rollup_changes
    where n > :after and n <= :upto
)

-- name: forget_rollup_changes
-- To compare again.
delete from rollup_changes

-- name: forget_day_rollup_changes
-- To compare again.
delete from day_rollup_changes

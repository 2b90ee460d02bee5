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
-- Search rows that found nothing, among the rows that were just read.
insert into fresh_counts (section, day, k1, k2, k3, count, results)
select 'catalog', date(timestamp) as day, 'empty_search', detail, '', count(*), 0
from catalog_interactions
where id > :after and id <= :upto and timestamp >= :horizon
    and event = 'search' and result_count = 0
group by day, detail
on conflict do update set count = count + excluded.count

-- name: fresh_rows
-- How many rows were read.
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
-- How many totals differ.
select count(*) from count_changes

{% for section in sections %}
-- name: mend_{{ section.id }}
-- Add the differences to the totals: additions stay right whatever is counted meanwhile.
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
-- Add the differences to the totals of requests that were counted.
insert into request_totals (day, project, verdict, count)
select day, k1, k2, change
from count_changes
where n > :after and n <= :upto and section = 'requests'
on conflict do update set count = count + excluded.count

{% for section in sections %}
-- name: drop_{{ section.id }}
-- Delete totals that are zero.
delete from {{ section.totals }}
where count <= 0 and (day, {{ section.key_list }}) in (
    select day, {{ section.k_list }}
    from count_changes
    where n > :after and n <= :upto and section = '{{ section.id }}'
)

{% endfor %}

-- name: drop_requests
-- Delete totals of requests that are zero.
delete from request_totals
where count <= 0 and (day, project, verdict) in (
    select day, k1, k2
    from count_changes
    where n > :after and n <= :upto and section = 'requests'
)

-- name: compare_rollups
-- Where the rollups differ from the sums of the daily totals.
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
-- Where the rollups of single days differ from the sums of the daily totals.
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
-- How many rollups differ.
select count(*) from rollup_changes

-- name: day_rollup_changes
-- How many rollups of single days differ.
select count(*) from day_rollup_changes

-- name: mend_rollups
-- Add the differences to the rollups.
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
-- Delete rollups that are zero.
delete from rollups
where days_all <= 0 and (section, k1, k2, k3) in (
    select section, k1, k2, k3
    from rollup_changes
    where n > :after and n <= :upto
)

-- name: mend_day_rollups
-- Add the differences to the rollups of single days.
insert into day_rollups (section, day, k1, count)
select section, day, k1, change
from day_rollup_changes
where n > :after and n <= :upto
on conflict do update set count = count + excluded.count

-- name: drop_day_rollups
-- Delete rollups of single days that are zero.
delete from day_rollups
where count <= 0 and (section, day, k1) in (
    select section, day, k1
    from day_rollup_changes
    where n > :after and n <= :upto
)

-- name: forget_rollup_changes
-- Empty the list of differences, so that rollups can be compared again.
delete from rollup_changes

-- name: forget_day_rollup_changes
-- Empty the list of differences, so that rollups of single days can be compared again.
delete from day_rollup_changes

-- name: downloads_total
-- All downloads in the last 30 days, 90 days and ever. Windows are whole UTC days and end today.
select
    coalesce(sum(count) filter (where day between :since_30 and :today), 0) as days_30,
    coalesce(sum(count) filter (where day between :since_90 and :today), 0) as days_90,
    coalesce(sum(count), 0) as days_all
from download_totals

-- name: downloads_by_project
-- The same for each project, most downloaded first.
select
    project,
    coalesce(sum(count) filter (where day between :since_30 and :today), 0) as days_30,
    coalesce(sum(count) filter (where day between :since_90 and :today), 0) as days_90,
    sum(count) as days_all
from download_totals
group by project
order by days_all desc, project

-- name: downloads_by_version
-- The same for each version, the hundred most downloaded.
select
    project,
    version,
    coalesce(sum(count) filter (where day between :since_30 and :today), 0) as days_30,
    coalesce(sum(count) filter (where day between :since_90 and :today), 0) as days_90,
    sum(count) as days_all
from download_totals
group by project, version
order by days_all desc, project, version
limit 100

-- name: clones_total
-- All clones and fetches in the last 30 days, 90 days and ever.
select
    coalesce(sum(count) filter (where day between :since_30 and :today), 0) as days_30,
    coalesce(sum(count) filter (where day between :since_90 and :today), 0) as days_90,
    coalesce(sum(count), 0) as days_all
from clone_totals

-- name: clones_by_project
-- The same for each project, most cloned first.
select
    project,
    coalesce(sum(count) filter (where day between :since_30 and :today), 0) as days_30,
    coalesce(sum(count) filter (where day between :since_90 and :today), 0) as days_90,
    sum(count) as days_all
from clone_totals
group by project
order by days_all desc, project

-- name: requests_by_verdict
-- What every request for an asset was found to be, most frequent first; 'counted' are downloads.
select
    verdict,
    coalesce(sum(count) filter (where day between :since_30 and :today), 0) as days_30,
    coalesce(sum(count) filter (where day between :since_90 and :today), 0) as days_90,
    sum(count) as days_all
from request_totals
group by verdict
order by days_all desc, verdict

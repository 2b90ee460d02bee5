-- What the operator's page needs besides the daily totals, so that its cost does not grow with the
-- years: sums of the days before today ("rollups"), distinct clients, traffic, operations.

-- The daily totals once more: the first ten characters are the day, and cost an eighth of an insert
-- less than date() does.
drop trigger total_download;

create trigger total_download after insert on downloads
begin
    insert into download_totals (day, project, version, asset, count)
    values (substr(new.timestamp, 1, 10), new.project, new.version, new.asset, 1)
    on conflict do update set count = count + 1;
end;

drop trigger total_clone;

create trigger total_clone after insert on clones
begin
    insert into clone_totals (day, project, count)
    values (substr(new.timestamp, 1, 10), new.project, 1)
    on conflict do update set count = count + 1;
end;

drop trigger total_tool;

create trigger total_tool after insert on tool_usage
begin
    insert into tool_totals (day, tool, event, count)
    values (substr(new.timestamp, 1, 10), new.tool, new.event, 1)
    on conflict do update set count = count + 1;
end;

-- The last search of a day tells how much it found; those that found nothing are counted again
-- under an event of their own.
alter table catalog_totals add column results integer;

drop trigger total_catalog;

create trigger total_catalog after insert on catalog_interactions
begin
    insert into catalog_totals (day, event, detail, count, results)
    values (substr(new.timestamp, 1, 10), new.event, new.detail, 1, new.result_count)
    on conflict do update set count = count + 1, results = excluded.results;
end;

create trigger total_empty_search after insert on catalog_interactions
when new.event = 'search' and new.result_count = 0
begin
    insert into catalog_totals (day, event, detail, count, results)
    values (substr(new.timestamp, 1, 10), 'empty_search', new.detail, 1, 0)
    on conflict do update set count = count + 1;
end;

-- All daily totals as one. What the keys are: downloads (project, version, asset), clones
-- (project), tools (tool, event), catalog (event, detail), requests (project, verdict).
create view day_counts (section, k1, k2, k3, day, count, results) as
select 'downloads', project, version, asset, day, count, null
from download_totals
union all
select 'clones', project, '', '', day, count, null
from clone_totals
union all
select 'tools', tool, event, '', day, count, null
from tool_totals
union all
select 'catalog', event, detail, '', day, count, results
from catalog_totals
union all
select 'requests', project, verdict, '', day, count, null
from request_totals;

-- Rollups: the daily totals of all days before `rollup_day.day`, summed as a window of whole days
-- that ends on that day sees them. When a day is over, sql.upkeep moves `day` on by one: only what
-- happened on the four days that enter or leave a window is touched. A count that comes late, for a
-- day that is rolled up already, is added by trigger, so rollups and totals never disagree.
create table rollup_day (day text not null);

insert into rollup_day (day)
values (date('now'));

-- days_before are the 30 days before the last 30.
create table rollups (
    section text not null,
    k1 text not null,
    k2 text not null,
    k3 text not null,
    days_30 integer not null,
    days_before integer not null,
    days_90 integer not null,
    days_all integer not null,
    results integer,
    primary key (section, k1, k2, k3)
) without rowid;

-- Of searches there may be very many, of which a page shows the first hundred.
create index catalog_rollups_by_30 on rollups (k1, days_30 desc, days_90 desc, days_all desc)
where section = 'catalog';

create index catalog_rollups_by_90 on rollups (k1, days_90 desc, days_all desc)
where section = 'catalog';

create index catalog_rollups_by_all on rollups (k1, days_all desc)
where section = 'catalog';

create table day_rollups (
    section text not null,
    day text not null,
    k1 text not null,
    count integer not null,
    primary key (section, day, k1)
) without rowid;

-- What the two tables must hold: to fill them, and to check them.
create view fresh_rollups (
    section, k1, k2, k3, days_30, days_before, days_90, days_all, results, last_day
) as
select
    section,
    k1,
    k2,
    k3,
    coalesce(sum(count) filter (where day >= date(today, '-29 days')), 0),
    coalesce(
        sum(count) filter (where day between date(today, '-59 days') and date(today, '-30 days')),
        0
    ),
    coalesce(sum(count) filter (where day >= date(today, '-89 days')), 0),
    sum(count),
    results,  -- of the row with the greatest day: SQLite's rule for bare columns beside max()
    max(day)
from (
    select day_counts.*, rollup_day.day as today
    from rollup_day
    cross join day_counts
    where day_counts.day < rollup_day.day
)
group by section, k1, k2, k3;

create view fresh_day_rollups as
select section, day, k1, sum(count) as count
from day_counts
where day < (select day from rollup_day)
group by section, day, k1;

insert into rollups
select section, k1, k2, k3, days_30, days_before, days_90, days_all, results from fresh_rollups;

insert into day_rollups
select * from fresh_day_rollups;

-- The days that are not rolled up yet: today, and those to come where a clock was ahead. (Joins,
-- since a bound that is a subquery does not reach the tables below a union.)
create view live_counts (section, k1, k2, k3, day, count, results) as
select 'downloads', project, version, asset, download_totals.day, count, null
from rollup_day
cross join download_totals on download_totals.day >= rollup_day.day
union all
select 'clones', project, '', '', clone_totals.day, count, null
from rollup_day
cross join clone_totals on clone_totals.day >= rollup_day.day
union all
select 'tools', tool, event, '', tool_totals.day, count, null
from rollup_day
cross join tool_totals on tool_totals.day >= rollup_day.day
union all
select 'catalog', event, detail, '', catalog_totals.day, count, results
from rollup_day
cross join catalog_totals on catalog_totals.day >= rollup_day.day
union all
select 'requests', project, verdict, '', request_totals.day, count, null
from rollup_day
cross join request_totals on request_totals.day >= rollup_day.day;

-- Everything that a page sums. What is rolled up has the `from_day` '', before every other.
create view current_counts (
    section, k1, k2, k3, from_day, days_30, days_before, days_90, days_all, results
) as
select section, k1, k2, k3, '', days_30, days_before, days_90, days_all, results
from rollups
union all
select section, k1, k2, k3, day, count, 0, count, count, results
from live_counts;

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

-- A count for a day that is rolled up already.
create view late_counts (section, k1, k2, k3, day, change, results) as
select null, null, null, null, null, null, null where false;

create trigger count_late instead of insert on late_counts
begin
    insert into rollups (
        section, k1, k2, k3, days_30, days_before, days_90, days_all, results
    )
    values (
        new.section,
        new.k1,
        new.k2,
        new.k3,
        new.change * (new.day >= (select date(day, '-29 days') from rollup_day)),
        new.change * (
            new.day between (select date(day, '-59 days') from rollup_day)
                and (select date(day, '-30 days') from rollup_day)
        ),
        new.change * (new.day >= (select date(day, '-89 days') from rollup_day)),
        new.change,
        new.results
    )
    on conflict do update set
        days_30 = days_30 + excluded.days_30,
        days_before = days_before + excluded.days_before,
        days_90 = days_90 + excluded.days_90,
        days_all = days_all + excluded.days_all,
        results = coalesce(results, excluded.results);

    insert into day_rollups (section, day, k1, count)
    values (new.section, new.day, new.k1, new.change)
    on conflict do update set count = count + excluded.count;
end;

create trigger late_download after insert on download_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts
    values ('downloads', new.project, new.version, new.asset, new.day, new.count, null);
end;

create trigger late_download_again after update of count on download_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts
    values (
        'downloads', new.project, new.version, new.asset, new.day, new.count - old.count, null
    );
end;

create trigger late_clone after insert on clone_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts values ('clones', new.project, '', '', new.day, new.count, null);
end;

create trigger late_clone_again after update of count on clone_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts
    values ('clones', new.project, '', '', new.day, new.count - old.count, null);
end;

create trigger late_tool after insert on tool_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts values ('tools', new.tool, new.event, '', new.day, new.count, null);
end;

create trigger late_tool_again after update of count on tool_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts
    values ('tools', new.tool, new.event, '', new.day, new.count - old.count, null);
end;

create trigger late_catalog after insert on catalog_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts
    values ('catalog', new.event, new.detail, '', new.day, new.count, new.results);
end;

create trigger late_catalog_again after update of count on catalog_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts
    values ('catalog', new.event, new.detail, '', new.day, new.count - old.count, new.results);
end;

create trigger late_request after insert on request_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts
    values ('requests', new.project, new.verdict, '', new.day, new.count, null);
end;

create trigger late_request_again after update of count on request_totals
when new.day < (select day from rollup_day)
begin
    insert into late_counts
    values ('requests', new.project, new.verdict, '', new.day, new.count - old.count, null);
end;

-- Distinct clients, exactly: the day a client was last seen at each thing, and how many were last
-- seen there on each day. A client that comes again moves from its old day to today, so those of a
-- window that ends today are the sum from its first day on. sql.upkeep inserts into `clients`, and
-- the triggers do the rest. `scope` is "" for a whole section, else a project, "tool event" or an
-- event of the catalog.
create table clients (
    ip_hash text not null,
    section text not null,
    scope text not null,
    last_day text not null,
    primary key (ip_hash, section, scope)
) without rowid;

create table client_totals (
    section text not null,
    scope text not null,
    last_day text not null,
    count integer not null,
    primary key (section, scope, last_day)
) without rowid;

-- All that were ever seen.
create table client_sums (
    section text not null,
    scope text not null,
    count integer not null,
    primary key (section, scope)
) without rowid;

-- The distinct clients of one day, and, once it is over, of the 30 days that ended with it.
create table client_days (
    section text not null,
    scope text not null,
    day text not null,
    count integer not null,
    days_30 integer,
    primary key (section, scope, day)
) without rowid;

create trigger client_appears after insert on clients
begin
    insert into client_sums (section, scope, count)
    values (new.section, new.scope, 1)
    on conflict do update set count = count + 1;

    insert into client_totals (section, scope, last_day, count)
    values (new.section, new.scope, new.last_day, 1)
    on conflict do update set count = count + 1;

    insert into client_days (section, scope, day, count)
    values (new.section, new.scope, new.last_day, 1)
    on conflict do update set count = count + 1;
end;

create trigger client_returns after update of last_day on clients
begin
    update client_totals
    set count = count - 1
    where section = old.section and scope = old.scope and last_day = old.last_day;

    insert into client_totals (section, scope, last_day, count)
    values (new.section, new.scope, new.last_day, 1)
    on conflict do update set count = count + 1;

    insert into client_days (section, scope, day, count)
    values (new.section, new.scope, new.last_day, 1)
    on conflict do update set count = count + 1;
end;

-- How far the rows are counted: the id of the last one of each table, and the day they are of.
create table client_progress (
    section text not null primary key,
    counted integer not null
) without rowid;

insert into client_progress (section, counted)
values ('downloads', 0), ('clones', 0), ('tools', 0), ('catalog', 0);

create table client_day (day text);

insert into client_day (day)
values (null);

-- What the portal did besides: bytes relayed, failures of the upstream. `hour` is UTC, as
-- YYYY-MM-DD HH:00.
create table traffic_totals (
    hour text not null,
    name text not null,
    amount integer not null,
    primary key (hour, name)
) without rowid;

-- The last time of each of the operator's commands: 'backup', 'rebuild', and 'prune', whose detail
-- is the day before which rows are gone.
create table operations (
    name text not null primary key,
    at datetime not null,
    detail text not null
) without rowid;

-- The second part of this migration: what is counted for a day after its rollup.

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

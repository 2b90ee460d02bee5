-- The four tables of events: names, order and types of their columns are the specification's, and
-- nothing is added to them. `timestamp` is UTC, in SQLite's own form: YYYY-MM-DD HH:MM:SS.

create table downloads (
    id integer primary key autoincrement,
    project text not null,
    version text not null,
    asset text not null,
    timestamp datetime not null,
    ip_hash text not null,
    user_agent text not null
);

create table clones (
    id integer primary key autoincrement,
    project text not null,
    timestamp datetime not null,
    ip_hash text not null,
    user_agent text not null
);

create table tool_usage (
    id integer primary key autoincrement,
    tool text not null,
    event text not null,
    timestamp datetime not null,
    ip_hash text not null,
    user_agent text not null
);

create table catalog_interactions (
    id integer primary key autoincrement,
    event text not null,
    detail text not null,
    result_count integer,
    timestamp datetime not null,
    ip_hash text not null
);

-- Daily totals, kept in the transaction of the row. `day` is YYYY-MM-DD, UTC. A key begins with the
-- day because a page asks for "since that day". Rows that are pruned later leave their totals.

create table download_totals (
    day text not null,
    project text not null,
    version text not null,
    asset text not null,
    count integer not null,
    primary key (day, project, version, asset)
) without rowid;

create table clone_totals (
    day text not null,
    project text not null,
    count integer not null,
    primary key (day, project)
) without rowid;

create table tool_totals (
    day text not null,
    tool text not null,
    event text not null,
    count integer not null,
    primary key (day, tool, event)
) without rowid;

create table catalog_totals (
    day text not null,
    event text not null,
    detail text not null,
    count integer not null,
    primary key (day, event, detail)
) without rowid;

create trigger total_download after insert on downloads
begin
    insert into download_totals (day, project, version, asset, count)
    values (date(new.timestamp), new.project, new.version, new.asset, 1)
    on conflict do update set count = count + 1;
end;

create trigger total_clone after insert on clones
begin
    insert into clone_totals (day, project, count)
    values (date(new.timestamp), new.project, 1)
    on conflict do update set count = count + 1;
end;

create trigger total_tool after insert on tool_usage
begin
    insert into tool_totals (day, tool, event, count)
    values (date(new.timestamp), new.tool, new.event, 1)
    on conflict do update set count = count + 1;
end;

create trigger total_catalog after insert on catalog_interactions
begin
    insert into catalog_totals (day, event, detail, count)
    values (date(new.timestamp), new.event, new.detail, 1)
    on conflict do update set count = count + 1;
end;

-- ONE download. Every request for an asset is inserted into the view `download_requests`; what
-- becomes of it is decided by the four triggers below and nowhere else.

-- What every request was found to be, so that the number of downloads can be audited.
create table request_totals (
    day text not null,
    project text not null,
    verdict text not null,
    count integer not null,
    primary key (day, project, verdict)
) without rowid;

-- When a client was last seen at a file, in Unix seconds. The recorder prunes it.
create table download_window (
    project text not null,
    version text not null,
    asset text not null,
    ip_hash text not null,
    user_agent text not null,
    seen integer not null,
    primary key (project, version, asset, ip_hash, user_agent)
) without rowid;

create view download_window_seconds (seconds) as
select 600;

create view download_requests (
    project, version, asset, ip_hash, user_agent, classification, time
) as
select null, null, null, null, null, null, null where false;

create view download_verdicts (
    project, version, asset, ip_hash, user_agent, verdict, time
) as
select null, null, null, null, null, null, null where false;

-- A whole file always counts: two people behind one address are two. A part counts unless its
-- client was seen at the file within the window, before or (clocks go back) after. Anything else
-- ('probe', 'head', 'not_modified', 'failed', 'renewal') is its own verdict.
-- VALUES and not SELECT: a trigger's INSERT ... SELECT builds a temporary table for every row.
create trigger decide_download instead of insert on download_requests
begin
    insert into download_verdicts (
        project, version, asset, ip_hash, user_agent, verdict, time
    )
    values (
        new.project,
        new.version,
        new.asset,
        new.ip_hash,
        substr(new.user_agent, 1, 1024),
        case
            when new.classification = 'whole' then 'counted'
            when new.classification <> 'part' then new.classification
            when exists (
                select 1
                from download_window
                where project = new.project
                    and version = new.version
                    and asset = new.asset
                    and ip_hash = new.ip_hash
                    and user_agent = substr(new.user_agent, 1, 1024)
                    and abs(new.time - seen) <= (select seconds from download_window_seconds)
            ) then 'continued'
            else 'counted'
        end,
        new.time
    );
end;

create trigger record_download instead of insert on download_verdicts
when new.verdict = 'counted'
begin
    insert into downloads (project, version, asset, timestamp, ip_hash, user_agent)
    values (
        new.project,
        new.version,
        new.asset,
        datetime(new.time, 'unixepoch'),
        new.ip_hash,
        new.user_agent
    );
end;

-- A transfer renews its window when it starts, while it runs and when it ends ('renewal'). Within
-- the window the later time stands; beyond it the clock was set, and the new time does.
create trigger renew_window instead of insert on download_verdicts
when new.verdict in ('counted', 'continued', 'renewal')
begin
    insert into download_window (project, version, asset, ip_hash, user_agent, seen)
    values (new.project, new.version, new.asset, new.ip_hash, new.user_agent, new.time)
    on conflict do update set seen = case
        when abs(excluded.seen - seen) <= (select seconds from download_window_seconds)
            then max(excluded.seen, seen)
        else excluded.seen
    end
    where seen <> excluded.seen;
end;

create trigger total_request instead of insert on download_verdicts
when new.verdict <> 'renewal'
begin
    insert into request_totals (day, project, verdict, count)
    values (date(new.time, 'unixepoch'), new.project, new.verdict, 1)
    on conflict do update set count = count + 1;
end;

-- How many bytes of a spill file have been replayed, in the transaction of their rows. `spill` is
-- the id in the file's header, as hexadecimal digits: new each time the file is used again.
create table spill_offsets (
    spill text not null primary key,
    replayed integer not null
) without rowid;

-- The third part of this migration: distinct clients, traffic and operations.

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

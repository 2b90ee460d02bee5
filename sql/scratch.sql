-- What a rebuild works on: temporary tables, on the disk and of its own connection alone, so that
-- nothing is left of them however it ends. They are no migration.

-- The daily totals as the rows give them, in the form of the view day_counts.
create temp table fresh_counts (
    section text not null,
    day text not null,
    k1 text not null,
    k2 text not null,
    k3 text not null,
    count integer not null,
    results integer,
    primary key (section, day, k1, k2, k3)
) without rowid;

-- Where the stored totals differ from these, and by how much. Changes are numbered, since they are
-- made so many at a time.
create temp table count_changes (
    n integer primary key,
    section text not null,
    day text not null,
    k1 text not null,
    k2 text not null,
    k3 text not null,
    change integer not null,
    results integer
);

-- The same of the sums over days.
create temp table rollup_changes (
    n integer primary key,
    section text not null,
    k1 text not null,
    k2 text not null,
    k3 text not null,
    days_30 integer not null,
    days_before integer not null,
    days_90 integer not null,
    days_all integer not null,
    results integer
);

create temp table day_rollup_changes (
    n integer primary key,
    section text not null,
    day text not null,
    k1 text not null,
    change integer not null
);

-- The day each client was last seen, as the rows give it: at each thing, and at a whole section.
create temp table fresh_scopes (
    ip_hash text not null,
    section text not null,
    scope text not null,
    last_day text not null,
    primary key (ip_hash, section, scope)
) without rowid;

create temp table fresh_sections (
    ip_hash text not null,
    section text not null,
    last_day text not null,
    primary key (ip_hash, section)
) without rowid;

create temp view fresh_clients (ip_hash, section, scope, last_day) as
select ip_hash, section, scope, last_day
from fresh_scopes
where scope <> ''
union all
select ip_hash, section, '', last_day
from fresh_sections;

-- Without a last_day, a client that no row speaks of.
create temp table client_changes (
    n integer primary key,
    ip_hash text not null,
    section text not null,
    scope text not null,
    last_day text
);

create temp table fresh_client_totals (
    section text not null,
    scope text not null,
    last_day text not null,
    count integer not null,
    primary key (section, scope, last_day)
) without rowid;

-- The days on which a client was seen, of the last four months.
create temp table client_visits (
    section text not null,
    scope text not null,
    ip_hash text not null,
    day text not null,
    primary key (section, scope, ip_hash, day)
) without rowid;

create temp table fresh_client_days (
    section text not null,
    scope text not null,
    day text not null,
    count integer not null,
    days_30 integer,
    primary key (section, scope, day)
) without rowid;

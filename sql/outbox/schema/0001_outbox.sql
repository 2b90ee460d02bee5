-- Page events that wait for Umami: a database of its own, so that they never delay a recorded row.

-- In the order in which they came. `time` is Unix time in seconds, `body` what /api/batch takes of
-- one event, in JSON and ASCII. `sent_at` is null while it waits; with a time it is in flight: it
-- was handed over then, and whether it arrived is not known yet.
create table events (
    id integer primary key autoincrement,
    time integer not null,
    body text not null,
    sent_at integer
);

create index events_in_flight on events (sent_at) where sent_at is not null;

-- All that is in `events`, kept by trigger, so that the bound costs one row to look at.
create table size (
    one integer primary key check (one = 1),
    events integer not null,
    bytes integer not null
);

insert into size values (1, 0, 0);

create trigger event_came after insert on events begin
    update size set events = events + 1, bytes = bytes + length(new.body);
end;

create trigger event_went after delete on events begin
    update size set events = events - 1, bytes = bytes - length(old.body);
end;

-- What became of events that are not here any more: "sent", "refused" (Umami answered no),
-- "uncertain" (handed over without an answer, never sent again), "dropped" (no room, or not
-- written). `last_at` is Unix time in seconds.
create table outcomes (
    name text primary key,
    amount integer not null,
    last_at integer not null
) without rowid;

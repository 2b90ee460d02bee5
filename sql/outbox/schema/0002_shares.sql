-- A client's share of the outbox, what was dropped of how many clients, and why Umami said no.

-- `time` is Unix time in milliseconds from now on. `client` is a pseudonym of the network that the
-- event came from (an IPv4 address, an IPv6 /64); '' for events from before this column.
alter table events add column client text not null default '';

update events set time = time * 1000;

-- The largest waiting events make room when the outbox is full.
create index events_by_size on events (length(body)) where sent_at is null;

-- All that is in `events` of each client, kept by trigger, so that its share costs one row to look at.
create table clients (
    client text primary key,
    events integer not null,
    bytes integer not null
) without rowid;

insert into clients
select client, count(*), sum(length(body)) from events group by client;

drop trigger event_came;

drop trigger event_went;

create trigger event_came after insert on events begin
    update size set events = events + 1, bytes = bytes + length(new.body);
    insert into clients values (new.client, 1, length(new.body))
    on conflict (client) do update
    set events = events + excluded.events, bytes = bytes + excluded.bytes;
end;

create trigger event_went after delete on events begin
    update size set events = events - 1, bytes = bytes - length(old.body);
    update clients set events = events - 1, bytes = bytes - length(old.body)
    where client = old.client;
    delete from clients where client = old.client and events <= 0;
end;

-- Events that were dropped by a bound, by reason ("share": their client had its share of the
-- outbox; "room": it was full). Kept for counting clients; `client` is '' once there are too many.
create table drops (
    reason text not null,
    client text not null,
    amount integer not null,
    last_at integer not null,
    primary key (reason, client)
) without rowid;

-- Keys of events that two sides report, a page and the portal: the first is taken. In `outcomes`,
-- "ignored" is new: Umami took the sender for a robot and stored nothing. `sample` is what Umami
-- said of the last event that ended so.
create table reported (
    key text primary key,
    time integer not null
) without rowid;

create index reported_by_time on reported (time);

alter table outcomes add column sample text not null default '';

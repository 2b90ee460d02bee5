{% for section in sections %}
-- name: {{ section.kind }}
-- One batch{{ "; what becomes of each is decided by the triggers on the view" if section.inbox }}.
{% if section.inbox %}
insert into {{ section.inbox }} ({{ section.fields | join(", ") }}, ip_hash, classification, time)
select
{% for field in section.fields %}
    value ->> '{{ field }}',
{% endfor %}
    value ->> 'ip_hash',
    value ->> 'classification',
    value ->> 'time'
{% else %}
insert into {{ section.events }} ({{ section.fields | join(", ") }}, timestamp, ip_hash)
select
{% for field in section.fields %}
    {% if field == "user_agent" %}
    substr(value ->> 'user_agent', 1, 1024),
    {% else %}
    value ->> '{{ field }}',
    {% endif %}
{% endfor %}
    datetime(value ->> 'time', 'unixepoch'),
    value ->> 'ip_hash'
{% endif %}
from json_each(:batch, '$.{{ section.kind }}')
order by key

{% endfor %}
-- name: traffic
-- Insert one batch of traffic sums.
insert into traffic_totals (hour, name, amount)
select
    strftime('%Y-%m-%d %H:00', value ->> 'time', 'unixepoch'),
    value ->> 'name',
    value ->> 'amount'
from json_each(:batch, '$.traffic')
where true
order by key
on conflict do update set amount = amount + excluded.amount

-- name: prune_window
-- Entries that can decide nothing any more. An hour and not the window itself: a spilled request
-- is decided late.
delete from download_window
where abs(:now - seen) > 3600

-- name: spill_offset
-- How far a spill file has been replayed, in bytes.
select replayed
from spill_offsets
where spill = :spill

-- name: advance_spill
-- Store the offset, in the transaction of the rows up to it.
insert into spill_offsets (spill, replayed)
values (:spill, :replayed)
on conflict do update set replayed = excluded.replayed

-- name: forget_spill
-- Delete the offset of a file that is gone; a new file has a new id.
delete from spill_offsets
where spill = :spill

-- {{ section.noun | capitalize }}: rows, daily totals and distinct clients.

create table {{ section.events }} (
    id integer primary key autoincrement,
{% for field in section.fields %}
    {{ field }} {{ "integer" if field == section.results else "text not null" }},
{% endfor %}
    timestamp datetime not null,
    ip_hash text not null
);

create table {{ section.totals }} (
    day text not null,
{% for key in section.keys %}
    {{ key }} text not null,
{% endfor %}
    count integer not null,
{% if section.results %}
    results integer,
{% endif %}
    primary key (day, {{ section.key_list }})
) without rowid;

create trigger total_{{ section.id }} after insert on {{ section.events }}
begin
    insert into {{ section.totals }} (day, {{ section.key_list }}, count{{ ", results" if section.results }})
    values (
        substr(new.timestamp, 1, 10),
{% for key in section.keys %}
        new.{{ key }},
{% endfor %}
{% if section.results %}
        1,
        new.{{ section.results }}
{% else %}
        1
{% endif %}
    )
    on conflict do update set count = count + 1{{ ", results = excluded.results" if section.results }};
end;

drop view day_counts;

create view day_counts (section, k1, k2, k3, day, count, results) as
{% for each in sections %}
select '{{ each.id }}', {{ each.padded }}, day, count, {{ "results" if each.results else "null" }}
from {{ each.totals }}
union all
{% endfor %}
select 'requests', project, verdict, '', day, count, null
from request_totals;

drop view live_counts;

create view live_counts (section, k1, k2, k3, day, count, results) as
{% for each in sections %}
select '{{ each.id }}', {{ each.padded }}, {{ each.totals }}.day, count, {{ "results" if each.results else "null" }}
from rollup_day
cross join {{ each.totals }} on {{ each.totals }}.day >= rollup_day.day
union all
{% endfor %}
select 'requests', project, verdict, '', request_totals.day, count, null
from rollup_day
cross join request_totals on request_totals.day >= rollup_day.day;

{% for trigger, change in (("late_" ~ section.id ~ " after insert on", "new.count"), ("late_" ~ section.id ~ "_again after update of count on", "new.count - old.count")) %}
create trigger {{ trigger }} {{ section.totals }}
when new.day < (select day from rollup_day)
begin
    insert into late_counts
    values (
        '{{ section.id }}',
{% for key in (section.keys + ("", ""))[:3] %}
        {{ "new." ~ key if key else "''" }},
{% endfor %}
        new.day,
        {{ change }},
        {{ "new.results" if section.results else "null" }}
    );
end;

{% endfor %}
insert into client_progress (section, counted)
values ('{{ section.id }}', 0);

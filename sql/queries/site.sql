-- name: live_columns
-- Every column of every table, in the order in which the tables were created.
select tables.name, columns.name, columns.type
from sqlite_schema as tables
cross join pragma_table_info(tables.name) as columns
where tables.type = 'table' and tables.name not like 'sqlite\_%' escape '\'
order by tables.rowid, columns.cid

-- name: project_downloads
-- All downloads of a project that were ever counted.
select coalesce(sum(days_all), 0)
from current_counts
where section = 'downloads' and k1 = :project

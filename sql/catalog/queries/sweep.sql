-- name: sweep_contents
-- What no version holds any more.
delete from contents
where id not in (select content_id from version_tables);

-- name: sweep_files
-- Files of such.
delete from files
where content_id not in (select id from contents);

-- name: sweep_heads
-- Heads of such.
delete from heads
where id not in (select head_id from contents);

-- name: sweep_links
-- Links by the Defaults of such.
delete from links
where head_id <> 0 and head_id not in (select id from heads);

-- name: all_members
-- The rows of all that is left.
select members
from contents;

-- name: all_rows
-- The number of every row.
select id
from rows;

-- name: row_as_it_is
-- A row's name and its body, of which its words were made.
select keys.name, rows.body
from rows
join keys on keys.id = rows.key_id
where rows.id = :row;

-- name: forget_words
-- A contentless index forgets words when it is told them.
insert into words (words, rowid, name, title, text, value)
values ('delete', :row, :name, :title, :text, :value);

-- name: forget_spelling
-- The same of what the row is nearly called.
insert into spellings (spellings, rowid, name)
values ('delete', :row, :spelling);

-- name: forget_links
-- Links from a row.
delete from links
where row_id = :row;

-- name: forget_row
-- A row in a form that no version has any more.
delete from rows
where id = :row;

-- name: sweep_keys
-- Names of no row.
delete from keys
where id not in (select key_id from rows);

-- name: sweep_tables
-- Tables that no version has.
delete from tables
where id not in (select table_id from version_tables);

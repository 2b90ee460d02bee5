-- name: known_versions
-- What is in the index, and of which files.
select name, id, fingerprint, ready
from versions;

-- name: folder
-- Where the versions come from.
select folder
from state;

-- name: start_version
-- A version is about to be read; one that readers see stays as it is until then.
insert into versions (name, label, date, fingerprint, files)
values (:name, '', '', '', :files)
on conflict (name) do update
set files = excluded.files, done = 0
returning id;

-- name: version_progress
-- So many of a version's files are done.
update versions
set done = :done
where id = :version;

-- name: forget_version_tables
-- What a version held before.
delete from version_tables
where version_id = :version;

-- name: add_version_table
-- A version holds a table in this form.
insert into version_tables (version_id, table_id, content_id)
values (:version, :table, :content);

-- name: finish_version
-- Readers see it now.
update versions
set label = :label, date = :date, fingerprint = :fingerprint, ready = 1, done = files
where id = :version;

-- name: forget_version
-- A version whose folder is gone.
delete from versions
where id = :version;

-- name: forget_problems
-- What was wrong with a version before.
delete from problems
where version = :version;

-- name: forget_problems_but
-- Problems of versions that are not there any more; :versions is a JSON array of those that are.
delete from problems
where version not in (select value from json_each(:versions));

-- name: add_problem
-- What is wrong with a file of it.
insert into problems (version, path, sentence)
values (:version, :path, :sentence);

-- name: move_generation
-- What readers see has changed.
update state
set generation = generation + 1;

-- name: complete
-- The folder has been read to its end.
update state
set complete = 1
where complete = 0;

-- name: set_folder
-- Where the versions come from.
update state
set folder = :folder;

-- name: add_table
-- A table by its category and name; there it stays.
insert into tables (category, name)
values (:category, :name)
on conflict do nothing;

-- name: table_id
-- The number of a table.
select id
from tables
where category = :category and name = :name;

-- name: file_seen
-- What a file held that has been read before.
select content_id, problems
from files
where table_id = :table and hash = :hash;

-- name: add_file
-- Remember what a file holds.
insert or replace into files (table_id, hash, content_id, problems)
values (:table, :hash, :content, :problems);

-- name: table_keys
-- The names of all rows that a table has or had.
select name, id
from keys
where table_id = :table;

-- name: add_key
-- A name that is new in a table.
insert into keys (table_id, name)
values (:table, :name);

-- name: table_rows
-- All forms of all rows of a table.
select rows.key_id, rows.hash, rows.id
from keys
join rows on rows.key_id = keys.id
where keys.table_id = :table;

-- name: add_row
-- A row in a form that is new.
insert into rows (key_id, hash, title, body)
values (:key, :hash, :title, :body);

-- name: add_words
-- What a row can be found by.
insert into words (rowid, name, title, text, value)
values (:row, :name, :title, :text, :value);

-- name: add_spelling
-- What a row is nearly called.
insert into spellings (rowid, name)
values (:row, :spelling);

-- name: add_link
-- A row refers to another: by itself (:head is 0), or by the Defaults of a head.
insert or ignore into links (to_table, to_row, row_id, head_id)
values (:to_table, :to_row, :row, :head);

-- name: head_digests
-- The rows that were merged with a head before, and the digests of what that made.
select members, digests
from contents
where head_id = :head
order by id desc
limit :most;

-- name: add_head
-- A table's head in a form that may be new.
insert into heads (table_id, hash, body)
values (:table, :hash, :body)
on conflict do nothing;

-- name: head_id
-- The number of a head.
select id
from heads
where table_id = :table and hash = :hash;

-- name: add_content
-- What a table holds, in a form that may be new.
insert into contents (table_id, hash, head_id, row_count, fields, members, digests)
values (:table, :hash, :head, :row_count, :fields, :members, :digests)
on conflict do nothing;

-- name: content_id
-- The number of what a table holds.
select id
from contents
where table_id = :table and hash = :hash;

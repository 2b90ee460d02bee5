-- name: generation
-- Moves with every change of what follows.
select generation
from state;

-- name: ready_versions
-- The versions that can be shown.
select id, name, label, date
from versions
where ready = 1;

-- name: unfinished_versions
-- The versions that are being read, and how far that is.
select name, done, files
from versions
where done < files;

-- name: problems
-- What is wrong with the files, first those of no version.
select path, sentence
from problems
order by version <> '', rowid
limit :limit;

-- name: version_problems
-- What is wrong with the files of each version, as far as visitors may see it.
select version, path, sentence
from problems
where version <> ''
order by rowid;

-- name: problem_count
-- How much is wrong.
select count(*)
from problems;

-- name: row_count
-- How many rows there are, each form once.
select count(*)
from rows;

-- name: dataset
-- All tables of a version.
select tables.id, tables.category, tables.name, contents.id, contents.row_count, contents.head_id
from version_tables
join tables on tables.id = version_tables.table_id
join contents on contents.id = version_tables.content_id
where version_tables.version_id = :version;

-- name: version_members
-- The rows of all tables of a version.
select contents.members
from version_tables
join contents on contents.id = version_tables.content_id
where version_tables.version_id = :version;

-- name: row_places
-- Of every row the number of its name and of its table.
select rows.id, rows.key_id, keys.table_id
from rows
join keys on keys.id = rows.key_id;

-- name: members
-- The rows of a table, its fields, and the digests of its rows.
select members, fields, digests
from contents
where id = :content;

-- name: head
-- All of a table but its rows.
select body
from heads
where id = :head;

-- name: rows_by_id
-- Rows by their numbers, a JSON array, in its order.
select rows.id, keys.name, rows.title, rows.body
from json_each(:ids) as wanted
cross join rows on rows.id = wanted.value
cross join keys on keys.id = rows.key_id
order by wanted.key;

-- name: names_by_id
-- The names of rows by their numbers, a JSON array, in its order.
select keys.name
from json_each(:ids) as wanted
cross join rows on rows.id = wanted.value
cross join keys on keys.id = rows.key_id
order by wanted.key;

-- name: fields_by_id
-- One field of rows by their numbers, as JSON, in the order of the array; nothing where a row has none.
select rows.id, keys.name, rows.body -> :path
from json_each(:ids) as wanted
cross join rows on rows.id = wanted.value
cross join keys on keys.id = rows.key_id
order by wanted.key;

-- name: row_forms
-- All forms of the row of that name.
select rows.id, rows.title, rows.body
from keys
join rows on rows.key_id = keys.id
where keys.table_id = :table and keys.name = :row;

-- name: linked_from
-- The rows that refer to that one, each with the head by which it does and the name that it uses.
select row_id, head_id, to_row
from links
where to_table = :table and to_row = :row;

-- name: existing_rows
-- Of pairs of a table's number and a row's name, a JSON array, all forms of the rows that are known,
-- whatever the case of their names.
select keys.table_id, wanted.value ->> 1, keys.name, rows.id, rows.title
from json_each(:pairs) as wanted
cross join keys on keys.name = wanted.value ->> 1 collate nocase and keys.table_id = wanted.value ->> 0
cross join rows on rows.key_id = keys.id;

-- name: hits
-- The rows that match, in no order: a JSON array, which is read faster than as many rows.
select json_group_array(rowid)
from words
where words match :query;

-- name: ranked_hits
-- The same, some thousands at most, best first: a word in the name or the title counts most, then one
-- in a text.
select rowid
from words
where words match :query
order by bm25(words, 10.0, 10.0, 4.0, 1.0), rowid;

-- name: is_complete
-- Whether the folder has ever been read to its end.
select complete
from state;

-- name: hits_by_title
-- The rows that people see under that title, but for case.
select id
from rows
where title <> '' and title = :title collate nocase;

-- name: near_spellings
-- The rows whose name or title shares most groups of three letters with what was typed.
select rowid
from spellings
where spellings match :query
order by rank
limit :most;

-- name: labels_by_id
-- The names and titles of rows by their numbers, a JSON array.
select rows.id, keys.name, rows.title
from json_each(:ids) as wanted
cross join rows on rows.id = wanted.value
cross join keys on keys.id = rows.key_id;

-- name: hits_by_name
-- The rows of that name, but for case.
select rows.id
from keys
join rows on rows.key_id = keys.id
where keys.name = :row collate nocase;

-- name: hits_by_part
-- The rows whose name or body holds that, for what is no word. A scan, of all there is.
select rows.id
from rows
join keys on keys.id = rows.key_id
where instr(rows.body, :part) > 0 or instr(keys.name, :part) > 0;

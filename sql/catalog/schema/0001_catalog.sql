-- The index of the catalog: a database of its own, which can be deleted and is then made again from
-- the folders of tables. What is equal in two versions is stored once: a row's body, a table's head,
-- a whole table.

-- A version is a folder; `fingerprint` is of the names, sizes and times of its files. Readers see it
-- once it is ready: `ready` is 0 while it is being read, of whose `files` so many are `done`.
create table versions (
    id integer primary key,
    name text not null unique,
    label text not null,
    date text not null,
    fingerprint text not null,
    ready integer not null default 0,
    files integer not null,
    done integer not null default 0
);

create table tables (
    id integer primary key,
    category text not null,
    name text not null,
    unique (category, name)
);

-- All of a table's file but its rows, as JSON.
create table heads (
    id integer primary key,
    table_id integer not null,
    hash blob not null,
    body text not null,
    unique (table_id, hash)
);

-- What a table holds in one version or several. `members` are the ids of its rows in their order,
-- each four bytes, little-endian: sets of numbers are compared faster than rows of a table of pairs,
-- which would be the largest here. `digests` has eight bytes for each of them, in the same order: the
-- hash of the row's values merged with the Defaults of this head, so that two versions are compared by
-- what a row means. `fields` is a JSON object: of each field, in how many rows it stands.
create table contents (
    id integer primary key,
    table_id integer not null,
    hash blob not null,
    head_id integer not null,
    row_count integer not null,
    fields text not null,
    members blob not null,
    digests blob not null,
    unique (table_id, hash)
);

create index contents_by_head on contents (head_id);

-- Files that were read before, by the hash of their bytes. `problems` is a JSON array of sentences.
create table files (
    table_id integer not null,
    hash blob not null,
    content_id integer not null,
    problems text not null,
    primary key (table_id, hash)
) without rowid;

create table version_tables (
    version_id integer not null,
    table_id integer not null,
    content_id integer not null,
    primary key (version_id, table_id)
) without rowid;

-- A row's name, the same through all versions.
create table keys (
    id integer primary key,
    table_id integer not null,
    name text not null,
    unique (table_id, name)
);

-- Names are Unreal's FName, which is compared without case.
create index keys_by_name on keys (name collate nocase, table_id);

-- A row as it is in some versions: its own values, as JSON, and its title, "" for none. No number is given twice, so that who
-- still asks for a row that is gone gets none.
create table rows (
    id integer primary key autoincrement,
    key_id integer not null,
    hash blob not null,
    title text not null,
    body text not null,
    unique (key_id, hash)
);

create index rows_by_title on rows (title collate nocase) where title <> '';

-- Which rows refer to which, by the names that stand in them. `head_id` is 0 where the row itself
-- names both table and row; else the head by whose Defaults it refers so, and only with that one.
create table links (
    to_table text not null collate nocase,
    to_row text not null collate nocase,
    row_id integer not null,
    head_id integer not null,
    primary key (to_table, to_row, row_id, head_id)
) without rowid;

create index links_by_row on links (row_id);

-- Contentless: the words of a row are made from its body, for the index and again for an excerpt.
create virtual table words using fts5 (
    name,
    title,
    text,
    value,
    content = '',
    tokenize = "unicode61 remove_diacritics 2"
);

-- The name and the title of each row without spaces and signs, by groups of three letters: for what
-- was nearly typed. Contentless like the words.
create virtual table spellings using fts5 (
    name,
    content = '',
    tokenize = 'trigram'
);

-- What was wrong with a version's files; `path` is within the catalog's folder.
create table problems (
    version text not null,
    path text not null,
    sentence text not null
);

-- `folder` is where the versions came from; `generation` moves with every change that readers see,
-- and begins anywhere, so that an index that was made anew is never taken for the one before. `form`
-- is of the words that are made of rows (portal/catalog/words.py): another default here is another
-- schema, and an index of another schema is made anew. `complete` is 1 once the folder has been read to
-- its end.
create table state (
    one integer primary key check (one = 1),
    folder text not null,
    generation integer not null,
    form integer not null default 2,
    complete integer not null default 0
);

insert into state (one, folder, generation)
values (1, '', abs(random() / 2));

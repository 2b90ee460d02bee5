"""The catalog: versions of data tables from a folder, indexed, searched, compared.

No table has a meaning here. A table is a JSON file `{RowStruct, Defaults, Rows: [{Name, …}]}` at
`<version>/<Category>/<Table>.json`; a row may leave out fields that are as in Defaults.
"""

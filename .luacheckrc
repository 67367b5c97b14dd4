std = "max"
max_line_length = 120
exclude_files = { "target", "docs/meta*.lua" }
files["tests/*_spec.lua"] = { std = "max+busted" }
files["bench"] = { max_line_length = false }
files["tests/fuzz"] = { max_line_length = false }
files["tests/fuzz/stage.lua"] = { max_line_length = false, allow_defined = true, ignore = { "131" } }

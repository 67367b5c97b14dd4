-- read or write on descriptor 3 with luaposix, which blocks. It has no pread: so each
-- action is two calls.
-- Usage: lua luaposix_files.lua ACTION SIZE DEPTH COUNT. DEPTH is not used.
-- Prints the seconds of CPU time that COUNT actions took, after some to warm up.

local unistd = require "posix.unistd"
local timed = require "bench.lib.timed"

local name, size, count = arg[1], tonumber(arg[2]), tonumber(arg[4])
local reads = name == "read"
local action, lseek, SEEK_SET = reads and unistd.read or unistd.write, unistd.lseek, unistd.SEEK_SET
local what = reads and size or ("x"):rep(size)
local bytes = 0

local function run(actions)
    for _ = 1, actions do
        lseek(3, 0, SEEK_SET)
        local result = assert(action(3, what))
        bytes = bytes + (reads and #result or result)
    end
end

local warm = count // 10
timed(run, warm, count)
assert(bytes == (warm + count) * size, bytes)

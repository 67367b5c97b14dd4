-- read or write on descriptor 3 with luv: on its threads, or blocking when DEPTH is 0.
-- Usage: lua luv_files.lua ACTION SIZE DEPTH COUNT
-- Prints the seconds of CPU time that COUNT actions took, after some to warm up.

local uv = require "luv"
local timed = require "bench.lib.timed"

local name, size, depth, count = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])
local reads = name == "read"
local action = reads and uv.fs_read or uv.fs_write
local what = reads and size or ("x"):rep(size)
local bytes, ended = 0, 0

local function done(failed, result)
    assert(not failed, failed)
    bytes = bytes + (reads and #result or result)
    ended = ended + 1
end

local function run(actions)
    local queued = 0
    ended = 0
    while ended < actions do
        if depth == 0 then
            done(nil, assert(action(3, what, 0)))
        else
            local last = math.min(actions, ended + depth)
            while queued < last do
                assert(action(3, what, 0, done))
                queued = queued + 1
            end
            uv.run("once")
        end
    end
end

local warm = math.max(count // 10, 2 * depth)
timed(run, warm, count)
assert(bytes == (warm + count) * size, bytes)

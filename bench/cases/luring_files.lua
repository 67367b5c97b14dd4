-- read, write, recv or send with a number of actions in flight, over whatever module
-- `require "luring"` finds.
-- Usage: lua luring_files.lua ACTION SIZE DEPTH COUNT [FD [WAIT [FLAGS]]]
-- Prints the seconds of CPU time that COUNT actions took, after some to warm up.

local luring = require "luring"
local timed = require "bench.lib.timed"

local name, size, depth, count = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])
local fd = tonumber(arg[5] or 3)
local wait = tonumber(arg[6] or 1)
local MSG_PEEK = 2

local action, cqe_seen = luring[name], luring.cqe_seen
local submit_and_wait, do_cqes = luring.submit_and_wait, luring.do_cqes
local ring = luring.queue_init(depth, tonumber(arg[7] or 0))

local reads = name == "read" or name == "recv"
local what = reads and size or ("x"):rep(size)
local where = name == "recv" and MSG_PEEK or 0
local bytes, ended = 0, 0

local function have_read(cqe, _, result)
    bytes = bytes + #result
    ended = ended + 1
    cqe_seen(ring, cqe)
end

local function have_written(cqe, res)
    bytes = bytes + res
    ended = ended + 1
    cqe_seen(ring, cqe)
end

local done = reads and have_read or have_written

local function run(actions)
    local queued = 0
    ended = 0
    while ended < actions do
        local last = math.min(actions, ended + depth)
        while queued < last do
            action(ring, fd, what, where, done)
            queued = queued + 1
        end
        submit_and_wait(ring, wait)
        do_cqes(ring)
    end
end

local warm = math.max(count // 10, 2 * depth)
timed(run, warm, count)
assert(bytes == (warm + count) * size, bytes)

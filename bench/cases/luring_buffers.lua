-- read into buffers that the program keeps, with a number of them in flight.
-- Usage: lua luring_buffers.lua SIZE DEPTH COUNT, with a file as descriptor 3.
-- Prints the seconds of CPU time that COUNT reads took, after some to warm up.

local luring = require "luring"
local timed = require "bench.lib.timed"

local size, depth, count = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local read, cqe_seen = luring.read, luring.cqe_seen
local ring = luring.queue_init(depth, 0)
local bytes, ended = 0, 0

local spare = {}
for n = 1, depth do spare[n] = luring.buffer(size) end
local spares = depth

local function done(cqe, res, buffer)
    bytes = bytes + res
    ended = ended + 1
    cqe_seen(ring, cqe)
    spares = spares + 1
    spare[spares] = buffer
end

local function run(actions)
    local queued = 0
    ended = 0
    while ended < actions do
        local last = math.min(actions, ended + depth)
        while queued < last do
            read(ring, 3, spare[spares], 0, done)
            spares = spares - 1
            queued = queued + 1
        end
        luring.submit_and_wait(ring, 1)
        luring.do_cqes(ring)
    end
end

local warm = math.max(count // 10, 2 * depth)
timed(run, warm, count)
assert(bytes == (warm + count) * size, bytes)

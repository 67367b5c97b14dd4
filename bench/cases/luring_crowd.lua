-- What a read costs while others are in flight.
-- Usage: lua luring_crowd.lua OTHERS COUNT, with a file as descriptor 3 and a pipe that has
-- nothing to read as 4: OTHERS reads wait for that, while COUNT reads of the file go on,
-- ten at a time.
-- Prints the seconds of CPU time that COUNT reads took, after a tenth as many.

local luring = require "luring"
local timed = require "bench.lib.timed"

local SIZE, DEPTH = 64, 10
local others, count = tonumber(arg[1]), tonumber(arg[2])
local ring = luring.queue_init(4096, 0)
local read, cqe_seen = luring.read, luring.cqe_seen
local bytes, ended = 0, 0

local function done(cqe, _, result)
    bytes = bytes + #result
    ended = ended + 1
    cqe_seen(ring, cqe)
end

local function run(actions)
    local queued = 0
    ended = 0
    while ended < actions do
        local last = math.min(actions, ended + DEPTH)
        while queued < last do
            read(ring, 3, SIZE, 0, done)
            queued = queued + 1
        end
        luring.submit_and_wait(ring, 1)
        luring.do_cqes(ring)
    end
end

for _ = 1, others do
    while not read(ring, 4, SIZE, 0, done) do
        assert(luring.submit(ring) > 0)
    end
end
luring.submit(ring)

local warm = count // 10
timed(run, warm, count)
assert(bytes == (warm + count) * SIZE, bytes)
os.exit(0) -- the kernel cancels what is in flight

-- Resident memory with a number of 64-byte reads in flight that share one callback.
-- Usage: lua luring_memory.lua COUNT, with a pipe that has nothing to read as descriptor 3.
-- Prints the bytes of each beyond its buffer.

local luring = require "luring"
local resident = require "bench.lib.resident"

local SIZE = 64
local count = tonumber(arg[1])
local ring = luring.queue_init(4096, 0)

local function done(cqe)
    luring.cqe_seen(ring, cqe)
end

local function queue(actions)
    for _ = 1, actions do
        while not luring.read(ring, 3, SIZE, 0, done) do
            assert(luring.submit(ring) > 0)
        end
    end
    luring.submit(ring)
    assert(luring.do_cqes(ring) == -11)
end

queue(100) -- whatever is made once
local before = resident()
queue(count)
print("bytes", (resident() - before) / count - SIZE)
os.exit(0) -- the kernel cancels what is in flight

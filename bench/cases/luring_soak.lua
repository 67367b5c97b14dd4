-- How much resident memory grows over many reads.
-- Usage: lua luring_soak.lua COUNT, with a file as descriptor 3. Prints bytes: from the
-- end of the first fiftieth to the end of all.

local luring = require "luring"
local resident = require "bench.lib.resident"

local SIZE, DEPTH = 4096, 32
local count = tonumber(arg[1])
local ring = luring.queue_init(DEPTH, 0)
local bytes = 0

local function run(actions)
    for _ = 1, actions // DEPTH do
        local ended = 0
        for _ = 1, DEPTH do
            luring.read(ring, 3, SIZE, 0, function(cqe, _, result)
                luring.cqe_seen(ring, cqe)
                bytes = bytes + #result
                ended = ended + 1
            end)
        end
        while ended < DEPTH do
            luring.submit_and_wait(ring, 1)
            luring.do_cqes(ring)
        end
    end
end

run(count // 50)
local before = resident()
run(count - count // 50)
print("bytes", resident() - before)
assert(bytes == (count // 50 // DEPTH + (count - count // 50) // DEPTH) * DEPTH * SIZE)

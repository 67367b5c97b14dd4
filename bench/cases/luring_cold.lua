-- Reads many small files whole: open, read and close of each are linked, on direct descriptors.
-- Usage: lua luring_cold.lua FOLDER COUNT DEPTH, where the files are called 1, 2, ...; DEPTH are under way at once.

local luring = require "luring"

local folder, count, depth = arg[1], tonumber(arg[2]), tonumber(arg[3])
local SIZE = 4096
local ring = luring.queue_init(4 * depth, luring.IORING_SETUP_SINGLE_ISSUER + luring.IORING_SETUP_DEFER_TASKRUN)
local open, read, close = luring.open_direct, luring.read, luring.close_direct
assert(luring.register_files(ring, depth) == 0)

local number, bytes, spare = 0, 0, {}
for slot = 1, depth do
    spare[slot] = { fd = luring.fixed(slot - 1), slot = slot - 1, buffer = luring.buffer(SIZE), chain = {} }
end

local function next_file(it)
    if number == count then return end
    number = number + 1
    local chain = it.chain
    chain[1] = open(ring, folder .. "/" .. number, luring.O_RDONLY, 0, it.slot)
    chain[2] = read(ring, it.fd, it.buffer, 0, it.done)
    chain[3] = close(ring, it.slot, it.closed)
    luring.chain(ring, chain)
end

for _, it in ipairs(spare) do
    function it.done(cqe, res)
        luring.cqe_seen(ring, cqe)
        assert(res == SIZE, res)
        bytes = bytes + res
    end
    function it.closed(cqe, res)
        luring.cqe_seen(ring, cqe)
        assert(res == 0, res)
        next_file(it)
    end
    next_file(it)
end
while luring.in_flight(ring) > 0 do
    luring.submit_and_wait(ring, 1)
    luring.do_cqes(ring)
end
assert(bytes == count * SIZE, bytes)

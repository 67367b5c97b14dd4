-- An echo server with all that helps: connections and data by one action each, in buffers that come and go
-- without a string, and a ring that one thread uses.
-- Usage: lua luring_echo_best.lua SIZE, with a listening socket as descriptor 3.

local luring = require "luring"

local size = tonumber(arg[1])
local send, cqe_seen = luring.send, luring.cqe_seen
local WAITALL, MORE = luring.MSG_WAITALL, luring.IORING_CQE_F_MORE
local ring = luring.queue_init(4096, luring.IORING_SETUP_SINGLE_ISSUER + luring.IORING_SETUP_DEFER_TASKRUN)
local group = luring.buf_ring(ring, 1024, size)
group:manual(true)

local function serve(connection)
    local function received(cqe, res, view, flags)
        cqe_seen(ring, cqe)
        if res > 0 then send(ring, connection, view, WAITALL) end
        if flags & MORE == 0 and (res > 0 or res == -luring.ENOBUFS) then
            luring.recv_multishot(ring, connection, group, 0, received)
        end
    end
    luring.recv_multishot(ring, connection, group, 0, received)
end

luring.accept_multishot(ring, 3, 0, function(cqe, connection)
    cqe_seen(ring, cqe)
    assert(connection >= 0, connection)
    serve(connection)
end)
while true do
    luring.submit_and_wait(ring, 1)
    luring.do_cqes(ring)
end

-- An echo server that queues a send and the next receive at once: nobody may send more before the answer.
-- Usage: lua luring_echo_at_once.lua SIZE [FLAGS], with a listening socket as descriptor 3.

local luring = require "luring"

local size = tonumber(arg[1])
local recv, send, cqe_seen = luring.recv, luring.send, luring.cqe_seen
local WAITALL = luring.MSG_WAITALL
local ring = luring.queue_init(4096, tonumber(arg[2] or 0))

local function sent(cqe)
    cqe_seen(ring, cqe)
end

local function serve(connection)
    local function received(cqe, res, data)
        cqe_seen(ring, cqe)
        if res > 0 then
            send(ring, connection, data, WAITALL, sent)
            recv(ring, connection, size, 0, received)
        end
    end
    recv(ring, connection, size, 0, received)
end

require "bench.lib.serve"(luring, ring, serve)

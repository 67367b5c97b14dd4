-- An echo server over whatever module `require "luring"` finds.
-- Usage: lua luring_echo.lua SIZE [FLAGS], with a listening socket as descriptor 3.
-- SIZE is how much it receives at the most; FLAGS are the ring's.

local luring = require "luring"

local size = tonumber(arg[1])
local recv, send, cqe_seen = luring.recv, luring.send, luring.cqe_seen
local ring = luring.queue_init(1024, tonumber(arg[2] or 0))

local function serve(connection)
    local received, sent, data

    function received(cqe, res, result)
        cqe_seen(ring, cqe)
        if res > 0 then
            -- Another build may give the whole buffer; and this keeps the data alive there.
            data = res == #result and result or result:sub(1, res)
            send(ring, connection, data, 0, sent)
        end
    end

    function sent(cqe, res)
        cqe_seen(ring, cqe)
        if res == #data then
            recv(ring, connection, size, 0, received)
        elseif res > 0 then
            data = data:sub(res + 1)
            send(ring, connection, data, 0, sent)
        end
    end

    recv(ring, connection, size, 0, received)
end

require "bench.lib.serve"(luring, ring, serve)

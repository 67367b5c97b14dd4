-- Sends back whatever its clients send, to many of them at once.
-- Usage: lua echo_server.lua [PORT [CLIENTS]]
-- Without PORT the kernel chooses one. Ends after CLIENTS clients, or never.

local luring = require "luring"

local SIZE = 16 * 1024

local ring = luring.queue_init(256, 0)
local port = tonumber(arg[1] or 0)
local left = tonumber(arg[2] or math.huge)

local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = port }
if listener < 0 then
    error("cannot listen: " .. luring.strerror(-listener))
end
print("listening on port " .. luring.getsockname(listener).port)
io.stdout:flush()

-- Queues an action. When the submission queue is full, a submit makes room.
local function queue(action, ...)
    local key = action(ring, ...)
    while not key do
        local submitted = luring.submit(ring)
        if submitted < 0 and submitted ~= -luring.EINTR then
            luring.do_cqes(ring)
        end
        key = action(ring, ...)
    end
end

local function finish(connection)
    luring.close_fd(connection)
    left = left - 1
end

-- Sends all of `data`, then calls `go_on`. A send may take less than it was given.
local function send_all(connection, data, go_on)
    queue(luring.send, connection, data, 0, function(cqe, res)
        luring.cqe_seen(ring, cqe)
        if res < 0 then
            return finish(connection) -- one client's error is not the others'
        elseif res < #data then
            return send_all(connection, data:sub(res + 1), go_on)
        end
        return go_on(connection)
    end)
end

local function serve(connection)
    queue(luring.recv, connection, SIZE, 0, function(cqe, res, data)
        luring.cqe_seen(ring, cqe)
        if res <= 0 then
            return finish(connection)
        end
        return send_all(connection, data, serve)
    end)
end

local function accept()
    queue(luring.accept, listener, luring.SOCK_CLOEXEC, function(cqe, connection)
        luring.cqe_seen(ring, cqe)
        if connection >= 0 then
            serve(connection)
        else -- too many open files, say: what is connected goes on
            io.stderr:write("accept: ", luring.strerror(-connection), "\n")
        end
        return accept()
    end)
end

accept()
while left > 0 do
    local submitted = luring.submit_and_wait(ring, 1)
    if submitted == -luring.EINTR then
        break -- Ctrl-C
    elseif submitted < 0 and submitted ~= -luring.EBUSY and submitted ~= -luring.EAGAIN then
        error("submit: " .. luring.strerror(-submitted))
    end
    luring.do_cqes(ring)
end

luring.close_fd(listener)
luring.queue_exit(ring)

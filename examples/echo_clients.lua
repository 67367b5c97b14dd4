-- Clients of echo_server.lua: all connect, send 64 KiB each, and compare what comes back.
-- Usage: lua echo_clients.lua PORT [CLIENTS]

local luring = require "luring"

local port, clients = tonumber(arg[1]), tonumber(arg[2] or 100)
local address = { family = luring.AF_INET, addr = "127.0.0.1", port = port }
local ring = luring.queue_init(2 * clients, 0)
local message = ("0123456789abcde\n"):rep(4096)
local left, wrong = clients, 0

local function finish(fd, right)
    luring.close_fd(fd)
    left = left - 1
    wrong = wrong + (right and 0 or 1)
end

local function receive(fd, parts, size)
    assert(luring.recv(ring, fd, 16384, 0, function(cqe, res, data)
        luring.cqe_seen(ring, cqe)
        parts[#parts + 1] = data
        if res <= 0 or size + res >= #message then
            return finish(fd, table.concat(parts) == message)
        end
        return receive(fd, parts, size + res)
    end))
end

for _ = 1, clients do
    local fd = luring.tcp_connect(address)
    if fd < 0 then
        error("cannot connect: " .. luring.strerror(-fd))
    end
    -- MSG_WAITALL: the send is done when all of it is sent.
    assert(luring.send(ring, fd, message, luring.MSG_WAITALL, function(cqe, res)
        luring.cqe_seen(ring, cqe)
        assert(res == #message, res < 0 and luring.strerror(-res) or "sent less than all")
    end))
    receive(fd, {}, 0)
end

while left > 0 do
    luring.submit_and_wait(ring, 1)
    luring.do_cqes(ring)
end
luring.queue_exit(ring)
print(("%d clients, %d bytes each, %d answers wrong"):format(clients, #message, wrong))
os.exit(wrong == 0 and 0 or 1)

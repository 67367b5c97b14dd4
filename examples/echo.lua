-- A TCP client and its server, talking in one program over one ring.

local USAGE = [[
Usage: lua echo.lua
A client says its name to a server, and the server greets it. Both are this program.]]

local luring = require "luring"

---@return never
local function fail(...)
    io.stderr:write("echo.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

-- Ends the program with the words for a negative result.
local function check(what, res)
    if res < 0 then fail(what, luring.strerror(-res)) end
    return res
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 8, 0)
if not made then fail(ring) end

-- Port 0 lets the kernel choose a free one.
local listener = check("listen", luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 })
local address = luring.getsockname(listener)
print("server: listening")

luring.accept(ring, listener, luring.SOCK_CLOEXEC, function(cqe, connection)
    luring.cqe_seen(ring, cqe)
    check("accept", connection)
    luring.recv(ring, connection, 4096, 0, function(cqe2, res, request)
        luring.cqe_seen(ring, cqe2)
        check("server's recv", res)
        print("server: got " .. request)
        luring.send(ring, connection, "Hello, " .. request .. "!", 0, function(cqe3, sent)
            luring.cqe_seen(ring, cqe3)
            check("server's send", sent)
            luring.close_fd(connection)
        end)
    end)
end)

local client = check("connect", luring.tcp_connect(address))
local answered = false

luring.send(ring, client, "luring", 0, function(cqe, res)
    luring.cqe_seen(ring, cqe)
    check("client's send", res)
    luring.recv(ring, client, 4096, 0, function(cqe2, res2, answer)
        luring.cqe_seen(ring, cqe2)
        check("client's recv", res2)
        print("client: got " .. answer)
        answered = true
    end)
end)

while not answered do
    local submitted = luring.submit_and_wait(ring, 1)
    -- A signal may end the wait. Nothing is lost: wait again.
    if submitted ~= -luring.EINTR then check("submit", submitted) end
    luring.do_cqes(ring)
end

luring.close_fd(client)
luring.close_fd(listener)
luring.queue_exit(ring)

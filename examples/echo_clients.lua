-- Clients of echo_server.lua: all connect, send, and compare what comes back.

local USAGE = [[
Usage: lua echo_clients.lua PORT [CLIENTS]
Connects CLIENTS (100) times to PORT of this machine, sends 64 KiB on each connection,
and compares what comes back. Ends with 1 if anything is wrong with it.]]

local luring = require "luring"

local SIZE = 16 * 1024

---@return never
local function fail(...)
    io.stderr:write("echo_clients.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

-- A whole number between two others, or the end of the program.
local function whole(name, text, least, most)
    local number = text:match("^%d+$") and tonumber(text)
    if not number or number < least or number > most then
        fail(("%s is a number from %d to %d, not %s (see --help)"):format(name, least, most, text))
    end
    return number
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
elseif not arg[1] then
    fail("which PORT? (see --help)")
end
local port = whole("PORT", arg[1], 1, 65535)
local clients = whole("CLIENTS", arg[2] or "100", 1, 16384)

-- Room for all: each client sends and receives at the same time. Raises an error where
-- io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 2 * clients, 0)
if not made then fail(ring) end

local address = { family = luring.AF_INET, addr = "127.0.0.1", port = port }
local message = ("0123456789abcde\n"):rep(4096)
local left, wrong = clients, 0

-- Sends all of `data`. A send may take less than it was given; one that fails needs no
-- word here, since the answer won't be right.
local function send(fd, data)
    luring.send(ring, fd, data, 0, function(cqe, res)
        luring.cqe_seen(ring, cqe)
        if res >= 0 and res < #data then
            return send(fd, data:sub(res + 1))
        end
    end)
end

local function receive(fd, parts, size)
    luring.recv(ring, fd, SIZE, 0, function(cqe, res, data)
        luring.cqe_seen(ring, cqe)
        parts[#parts + 1] = data
        if res > 0 and size + res < #message then
            return receive(fd, parts, size + res)
        end
        if table.concat(parts) ~= message then wrong = wrong + 1 end
        luring.close_fd(fd)
        left = left - 1
    end)
end

for _ = 1, clients do
    local fd = luring.tcp_connect(address)
    if fd < 0 then fail("port " .. port, luring.strerror(-fd)) end
    send(fd, message)
    receive(fd, {}, 0)
end

while left > 0 do
    local submitted = luring.submit_and_wait(ring, 1)
    -- A signal may end the wait. Nothing is lost: wait again.
    if submitted < 0 and submitted ~= -luring.EINTR then fail("submit", luring.strerror(-submitted)) end
    luring.do_cqes(ring)
end
luring.queue_exit(ring)
print(("%d clients, %d bytes each, %d answers wrong"):format(clients, #message, wrong))
os.exit(wrong == 0 and 0 or 1)

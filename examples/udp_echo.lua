-- Sends datagrams back to who sent them.

local USAGE = [=[
Usage: lua udp_echo.lua [PORT [DATAGRAMS]]
Sends back each datagram that comes to PORT of this machine. Without PORT, or with 0, the kernel
chooses one. Ends after DATAGRAMS answers, or at Ctrl-C.]=]

local luring = require "luring"

local DEPTH = 8 -- receives in flight

---@return never
local function fail(...)
    io.stderr:write("udp_echo.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 2 * DEPTH, 0)
if not made then fail(ring) end

local port, left = tonumber(arg[1] or 0), tonumber(arg[2] or math.huge)
if not port or not left then fail("PORT and DATAGRAMS are numbers (see --help)") end
local bound, socket = pcall(luring.udp_bind, { family = luring.AF_INET, addr = "127.0.0.1", port = port })
if not bound then fail(socket) end
if socket < 0 then fail("port " .. port, luring.strerror(-socket)) end
print("bound to port " .. luring.getsockname(socket).port)
io.stdout:flush()

local function answer()
    ring:recvmsg(socket, { size = 65535, name = true }, 0, function(_, res, message)
        if res < 0 then fail("receive", luring.strerror(-res)) end
        ring:sendto(socket, message.data, 0, message.addr, function(_, sent)
            -- What can't be sent is lost, as datagrams may be.
            if sent < 0 then
                io.stderr:write("udp_echo.lua: send: ", luring.strerror(-sent), "\n")
            end
            left = left - 1
            if left <= 0 then return luring.stop(ring) end
            return answer()
        end)
    end)
end

for _ = 1, DEPTH do answer() end
-- At Ctrl-C, the interpreter raises an error: "interrupted!".
local ran, result = pcall(luring.run, ring)
luring.queue_exit(ring)
if not ran then
    if tostring(result):find("interrupted!", 1, true) then os.exit(130) end
    fail(tostring(result))
end
if result < 0 then fail("run", luring.strerror(-result)) end

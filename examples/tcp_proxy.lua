-- Passes connections on to another port, to many at once, without a Lua string between.

local USAGE = [=[
Usage: lua tcp_proxy.lua ADDRESS:PORT [LISTEN [CLIENTS [BUFFERS]]]
Passes what is sent to port LISTEN of this machine on to ADDRESS (of IPv4, in numbers), and the
answers back. Without LISTEN, or with 0, the kernel chooses one. Ends after CLIENTS clients, or
at Ctrl-C. All of them share BUFFERS buffers, 256 or another power of two.]=]

local luring = require "luring"

local SIZE = 16 * 1024 -- of a buffer

local function complain(...)
    io.stderr:write("tcp_proxy.lua: ", table.concat({ ... }, ": "), "\n")
end

---@return never
local function fail(...)
    complain(...)
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init_params, 256, { auto_submit = true })
if not made then fail(ring) end

local host, target_port = (arg[1] or ""):match("^([%d.]+):(%d+)$")
local port = tonumber(arg[2] or 0)
local awaited = tonumber(arg[3] or math.huge) -- clients yet to come
local buffers = tonumber(arg[4] or 256)
if not host or not port or not awaited or not buffers then fail("what are the ports? (see --help)") end
local target = { family = luring.AF_INET, addr = host, port = tonumber(target_port) }
-- No socket gets the address: what is wrong with it is raised now, and not at the first client.
local there_is, why = pcall(luring.bind_fd, -1, target)
if not there_is then fail(arg[1], tostring(why):match("%((.*)%)$") or why) end

-- Only who has received something holds a buffer: the kernel picks one then, and has it back
-- when all of it has been sent.
local shared, group = pcall(luring.buf_ring, ring, buffers, SIZE)
if not shared then fail(group) end
if type(group) == "number" then fail("buffers", luring.strerror(-group)) end
group:manual(true)

-- A pair is a client's connection and the one to the target. It ends with its two directions.
local function finish(pair)
    pair.directions = pair.directions - 1
    if pair.directions == 0 then
        luring.close_fd(pair.client)
        luring.close_fd(pair.server)
    end
end

-- Ends both directions: what waits on a connection that is shut down comes back.
local function abort(pair)
    luring.shutdown_fd(pair.client, luring.SHUT_RDWR)
    luring.shutdown_fd(pair.server, luring.SHUT_RDWR)
    finish(pair)
end

local pump

-- `data` is a string or a view of a buffer.
local function pass_on(pair, from, to, data)
    local size = #data -- a buffer that has gone back can't be asked
    ring:send(to, data, luring.MSG_WAITALL, function(_, res)
        if res == size then return pump(pair, from, to) end
        -- The buffer is the program's again, since not all of it was sent.
        local rest = data:sub(math.max(res, 0) + 1)
        if type(data) ~= "string" then group:give(data) end
        if res < 0 then return abort(pair) end
        return pass_on(pair, from, to, rest)
    end)
end

function pump(pair, from, to)
    local function received(_, res, data)
        if res > 0 then
            return pass_on(pair, from, to, data)
        elseif res == -luring.ENOBUFS then
            -- Slow readers hold all buffers. The others need not wait for them.
            return ring:recv(from, SIZE, 0, received)
        elseif res < 0 then
            return abort(pair)
        end
        -- This direction has ended, and the other may go on.
        luring.shutdown_fd(to, luring.SHUT_WR)
        return finish(pair)
    end
    ring:recv(from, group, 0, received)
end

local function serve(client)
    local server = luring.socket_fd(luring.AF_INET, luring.SOCK_STREAM)
    if server < 0 then
        luring.close_fd(client)
        return complain("socket", luring.strerror(-server))
    end
    local pair = { client = client, server = server, directions = 2 }
    ring:connect(server, target, function(_, res)
        if res < 0 then
            complain(arg[1], luring.strerror(-res))
            pair.directions = 1
            return finish(pair)
        end
        pump(pair, client, server)
        pump(pair, server, client)
    end)
end

local ok, listener = pcall(luring.tcp_listen, { family = luring.AF_INET, addr = "127.0.0.1", port = port })
if not ok then fail(listener) end
if listener < 0 then fail("port " .. port, luring.strerror(-listener)) end
print("listening on port " .. luring.getsockname(listener).port)
io.stdout:flush()

local function accept()
    if awaited == 0 then return luring.close_fd(listener) end
    ring:accept(listener, luring.SOCK_CLOEXEC, function(_, res)
        if res < 0 then
            -- There are no descriptors left, say: a little later there may be.
            complain("accept", luring.strerror(-res))
            return ring:timeout(0.1, 0, 0, accept)
        end
        awaited = awaited - 1
        serve(res)
        return accept()
    end)
end

accept()
-- Until nothing is in flight. At Ctrl-C, the interpreter raises an error: "interrupted!".
local ran, result = pcall(luring.run, ring)
luring.queue_exit(ring)
if not ran then
    if tostring(result):find("interrupted!", 1, true) then os.exit(130) end
    fail(tostring(result))
end
if result < 0 then fail("run", luring.strerror(-result)) end

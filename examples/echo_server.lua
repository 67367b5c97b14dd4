-- Sends back whatever its clients send, to many of them at once.

local USAGE = [=[
Usage: lua echo_server.lua [PORT [CLIENTS]]
Sends back whatever is sent to PORT of this machine. Without PORT, or with 0, the
kernel chooses one. Ends after CLIENTS clients, or at Ctrl-C.]=]

local luring = require "luring"

local SIZE = 16 * 1024
local unpack = table.unpack or unpack

---@return never
local function fail(...)
    io.stderr:write("echo_server.lua: ", table.concat({ ... }, ": "), "\n")
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
end
local port = whole("PORT", arg[1] or "0", 0, 65535)
local awaited = arg[2] and whole("CLIENTS", arg[2], 1, 1e9) or math.huge -- clients yet to come

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 256, 0)
if not made then fail(ring) end

local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = port }
if listener < 0 then fail("port " .. port, luring.strerror(-listener)) end
print("listening on port " .. luring.getsockname(listener).port)
io.stdout:flush()

local open = 0          -- connections
local accepting = false -- is an accept in flight
local waiting = {}      -- actions that the submission queue had no room for
local accept

-- Queues an action, now or when there is room again.
local function queue(action, ...)
    if not action(ring, ...) then waiting[#waiting + 1] = { action, ... } end
end

local function queue_waiting()
    local actions = waiting
    waiting = {}
    for _, action in ipairs(actions) do queue(unpack(action)) end
end

-- What is wrong with one connection is no trouble of the others.
local function finish(connection)
    luring.close_fd(connection)
    open = open - 1
    if not accepting then accept() end
end

-- Sends all of `data`, then calls `go_on`. A send may take less than it was given.
local function send_all(connection, data, go_on)
    queue(luring.send, connection, data, 0, function(cqe, res)
        luring.cqe_seen(ring, cqe)
        if res < 0 then
            return finish(connection)
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

-- A set of results: these errors, negated.
local function results(...)
    local set = {}
    for _, name in ipairs { ... } do set[-luring[name]] = true end
    return set
end

-- What an accept may fail with and the next may not: the connection has ended meanwhile.
local passing = results("ECONNABORTED", "EINTR", "ENETDOWN", "EPROTO", "EHOSTUNREACH", "ENETUNREACH")
-- There is no descriptor or no memory for another connection, until one ends.
local shortage = results("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM")
local complained = false

function accept()
    if awaited == 0 then return end
    accepting = true
    queue(luring.accept, listener, luring.SOCK_CLOEXEC, function(cqe, res)
        luring.cqe_seen(ring, cqe)
        accepting = false
        if res >= 0 then
            awaited = awaited - 1
            open = open + 1
            serve(res)
        elseif shortage[res] and open > 0 then
            if not complained then
                io.stderr:write("echo_server.lua: accept: ", luring.strerror(-res),
                    ": new clients wait until others have left\n")
                complained = true
            end
            return -- `finish` accepts again
        elseif not passing[res] then
            fail("accept", luring.strerror(-res))
        end
        return accept()
    end)
end

-- What a submit may fail with and the next may not: a signal (to stop and go on, say), or
-- a completion queue that has to be emptied first.
local submit_again = results("EINTR", "EAGAIN", "EBUSY")

local function run()
    accept()
    while awaited > 0 or open > 0 do
        -- While actions wait for room, it only submits.
        local submitted = luring.submit_and_wait(ring, #waiting == 0 and 1 or 0)
        if submitted < 0 and not submit_again[submitted] then fail("submit", luring.strerror(-submitted)) end
        queue_waiting()
        luring.do_cqes(ring)
    end
end

-- At Ctrl-C, the interpreter raises an error: "interrupted!".
local ok, why = pcall(run)
luring.queue_exit(ring)
luring.close_fd(listener)
if not ok then
    why = tostring(why)
    if why:find("interrupted!", 1, true) then os.exit(130) end
    fail(why)
end

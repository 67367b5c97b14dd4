-- Fetches a document, and waits no longer than it is told to.

local USAGE = [=[
Usage: lua http_get.lua URL [SECONDS]
Writes what http://ADDRESS[:PORT][/PATH] gives to the standard output. ADDRESS is of IPv4, in
numbers. Fails after SECONDS, 10 unless given, or when the answer is an error.]=]

local luring = require "luring"

local SIZE = 64 * 1024

local url = arg[1]
---@return never
local function fail(...)
    io.stderr:write("http_get.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if url == "--help" then
    print(USAGE)
    os.exit(0)
end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 8, 0)
if not made then fail(ring) end

local authority, path = (url or ""):match("^http://([^/]+)(.*)$")
local addr, port = (authority or ""):match("^([%d.]+):?(%d*)$")
if not addr or not path or path:find("[%c ]") then fail("what is the URL? (see --help)") end
local seconds = tonumber(arg[2] or 10)
if not (seconds and seconds > 0 and seconds < 2^53) then
    fail(("SECONDS is a number, not %s (see --help)"):format(arg[2]))
end
local deadline = luring.now() + seconds

local socket = luring.socket_fd(luring.AF_INET, luring.SOCK_STREAM)
if socket < 0 then fail("socket", luring.strerror(-socket)) end

-- Queues an action that has what is left of the time, and goes on when it has succeeded.
local function within(action, a, b, c, go_on)
    -- What can be done at once is done even in no time, so a peer that never stops would never be late.
    local left = deadline - luring.now()
    local function late() fail(url, "no answer within " .. seconds .. " s") end
    if left <= 0 then late() end
    local function done(_, res, value)
        if res == -luring.ECANCELED or res == -luring.EINTR then
            late()
        elseif res < 0 then
            fail(url, luring.strerror(-res))
        end
        return go_on(res, value)
    end
    -- An action has as many arguments as its manual page says, and then the callback.
    local key
    if c then key = action(ring, a, b, c, done) else key = action(ring, a, b, done) end
    luring.chain(ring, { key }, { timeout = left })
end

local parts = {}
local function receive()
    within(luring.recv, socket, SIZE, 0, function(res, data)
        if res == 0 then return end
        parts[#parts + 1] = data
        return receive()
    end)
end

local request = table.concat({
    "GET " .. (path == "" and "/" or path) .. " HTTP/1.0", "Host: " .. authority, "Connection: close", "", "",
}, "\r\n")
local ok = pcall(within, luring.connect, socket,
    { family = luring.AF_INET, addr = addr, port = tonumber(port) or 80 }, nil, function()
        within(luring.send, socket, request, luring.MSG_WAITALL, receive)
    end)
if not ok then fail(url, "this is no address") end
local ran, result = pcall(luring.run, ring) -- until nothing is in flight
if not ran then fail(tostring(result)) end
if result < 0 then fail("run", luring.strerror(-result)) end
luring.close_fd(socket)

local head, body = table.concat(parts):match("^(.-\r?\n)\r?\n(.*)$")
local status, reason = (head or ""):match("^HTTP/%d%.%d (%d%d%d) ?([^\r\n]*)")
if not head or not body or not status then fail(url, "this is no HTTP answer") end
if status:sub(1, 1) ~= "2" then fail(url, status .. " " .. reason) end
local length = tonumber(head:lower():match("\ncontent%-length: *(%d+)"))
if length and length ~= #body then fail(url, ("%d of %d bytes came"):format(#body, length)) end
local written, failure = io.stdout:write(body)
if written then written, failure = io.stdout:flush() end
if not written then fail("standard output", failure) end

-- Names, looked up while the other tasks go on.

local luring = require "luring"
local part = ...
local address = part "address"
local failure = part "failure"
local scope = part "scope"
local stream = part "stream"
local task = part "task"
local raise = part "place".raise

local resolve = { public = {} }

local ANSWER = 4096 -- bytes of an answer, at most

-- The addresses of a name, as a list, or nil, message, errno.
local function look_up(host, service)
    local t = task.me()
    task.about_to_park(t)
    local s = scope.own(stream.of_pipe(false))
    local fd = luring.getaddrinfo(host, service)
    if fd < 0 then
        scope.disown(s)
        return failure.refused(fd, host)
    end
    s.fd = fd
    local res, answer = task.wait_bare(t, luring.read, fd, ANSWER, -1, t.done or t:done_of())
    s:close()
    task.check(t)
    if res < 0 then return failure.refused(res, host) end
    if res == 0 then return nil, host .. ": no answer", luring.EIO end
    local list, message, errno = luring.addrinfo(answer)
    if not list then return nil, host .. ": " .. message, errno end
    return list
end

-- The same for an address too, and for "unix:/path".
function resolve.addresses(host, port)
    local known = address.known(host, port)
    if known then return known end
    return look_up(host, ("%d"):format(port))
end

-- The addresses of a host, with the port of a service, or with 0.
function resolve.public.resolve(host, service)
    if type(host) ~= "string" or host:find("\0", 1, true) then
        raise("bad argument #1 to 'resolve' (a host's name or address expected)")
    end
    local kind = type(service)
    if service ~= nil and (kind ~= "string" and kind ~= "number" or tostring(service):find("\0", 1, true)) then
        raise("bad argument #2 to 'resolve' (a service's name or a port expected)")
    end
    -- The resolver takes what is left of a port that is too large.
    local port = kind == "string" and service:find("^[+-]?%d+$") and tonumber(service) or service
    if type(port) == "number" and not (port >= 0 and port <= 65535 and port % 1 == 0) then
        raise("bad argument #2 to 'resolve' (a port is from 0 to 65535)")
    end
    if kind == "number" then service = ("%d"):format(service) end
    return look_up(host, service)
end

return resolve

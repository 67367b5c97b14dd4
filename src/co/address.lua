-- Addresses: a host, which is numeric, a name, or "unix:/path", and a port.

local luring = require "luring"

local address = {}

-- Raises what is wrong with the arguments of a function that takes these.
function address.check(host, port, name)
    if type(host) ~= "string" or host:find("\0", 1, true) and not host:find("^unix:") then
        error("bad argument #1 to '" .. name .. "' (a host's name or address expected)", 3)
    end
    if host:find("^unix:") then return end
    if type(port) ~= "number" or port < 0 or port > 65535 or port % 1 ~= 0 then
        error("bad argument #2 to '" .. name .. "' (a port expected)", 3)
    end
end

-- The loopback addresses, which need not be looked up.
local NAMES = { localhost = { "127.0.0.1", "::1" }, ["*"] = { "0.0.0.0" } }

local function numeric(host, port)
    if host:find("^%d+%.%d+%.%d+%.%d+$") then return { family = luring.AF_INET, addr = host, port = port } end
    -- With a zone, or within brackets, it is for the resolver.
    if host:find("^[%x:.]+$") and host:find(":", 1, true) then
        return { family = luring.AF_INET6, addr = host, port = port }
    end
    return nil
end

-- The tables that luring takes, as a list, or nil for a name that has to be looked up.
function address.known(host, port)
    local path = host:match("^unix:(.*)$")
    if path then return { { family = luring.AF_UNIX, path = path } } end
    local list = {}
    for place, each in ipairs(NAMES[host] or { host }) do list[place] = numeric(each, port) end
    if #list > 0 then return list end
    return nil
end

-- The host and the port of such a table.
function address.name(addr)
    if addr.family == luring.AF_UNIX then return "unix:" .. (addr.path or "") end
    return addr.addr, addr.port
end

return address

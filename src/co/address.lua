-- Addresses: a host, which is numeric or "unix:/path", and a port.

local luring = require "luring"

local address = {}

-- The table that luring takes, or nil, message, errno.
function address.parse(host, port, name)
    if type(host) ~= "string" then error("bad argument #1 to '" .. name .. "' (string expected)", 3) end
    local path = host:match("^unix:(.*)$")
    if path then return { family = luring.AF_UNIX, path = path } end
    if type(port) ~= "number" or port < 0 or port > 65535 or port % 1 ~= 0 then
        error("bad argument #2 to '" .. name .. "' (a port expected)", 3)
    end
    if host == "localhost" then host = "127.0.0.1" end
    if host == "*" then host = "0.0.0.0" end
    if host:find(":", 1, true) then return { family = luring.AF_INET6, addr = host, port = port } end
    if host:find("^%d+%.%d+%.%d+%.%d+$") then return { family = luring.AF_INET, addr = host, port = port } end
    return nil, host .. ": not a numeric address", luring.EINVAL
end

-- The host and the port of such a table.
function address.name(addr)
    if addr.family == luring.AF_UNIX then return "unix:" .. (addr.path or "") end
    return addr.addr, addr.port
end

return address

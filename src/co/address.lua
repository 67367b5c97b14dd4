-- Addresses: a host, which is numeric, a name, or "unix:/path", and a port.

local luring = require "luring"
local part = ...
local raise = part "place".raise

local address = {}

-- Raises what is wrong with the arguments of a function that takes these.
function address.check(host, port, name)
    if type(host) ~= "string" or host:find("\0", 1, true) and not host:find("^unix:") then
        raise("bad argument #1 to '" .. name .. "' (a host's name or address expected)")
    end
    if host:find("^unix:") then return end
    if type(port) ~= "number" or port < 0 or port > 65535 or port % 1 ~= 0 then
        raise("bad argument #2 to '" .. name .. "' (a port expected)")
    end
end

-- The loopback addresses, which need not be looked up.
local NAMES = { localhost = { "127.0.0.1", "::1" }, ["*"] = { "0.0.0.0" } }

local function is_ipv4(host)
    local count = 0
    for number in (host .. "."):gmatch("([^.]*)%.") do
        if not number:find("^%d%d?%d?$") or number:find("^0%d") or tonumber(number) > 255 then return false end
        count = count + 1
    end
    return count == 4
end

-- Counts the groups of a part of an IPv6 address, which may end in an IPv4 address: nil if it is none.
local function groups(text)
    local count = 0
    if text == "" then return 0 end
    for group in (text .. ":"):gmatch("([^:]*):") do
        count = count + 1
        if not group:find("^%x%x?%x?%x?$") then return nil end
    end
    return count
end

local function is_ipv6(host)
    local before, last = host:match("^(.*:)([^:]*%.[^:]*)$")
    if last then
        if not is_ipv4(last) then return false end
        host = before .. "0:0"
    end
    local head, tail = host:match("^(.-)::(.*)$")
    if not head then return groups(host) == 8 end
    local first, second = groups(head), groups(tail)
    return first ~= nil and second ~= nil and first + second < 8
end

-- Nil for what is no such address. With a zone it is for the resolver too.
local function numeric(host, port)
    if is_ipv4(host) then return { family = luring.AF_INET, addr = host, port = port } end
    if is_ipv6(host) then return { family = luring.AF_INET6, addr = host, port = port } end
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

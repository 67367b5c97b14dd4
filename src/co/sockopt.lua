-- The options of sockets of LuaSocket's shape.

local luring = require "luring"
local part = ...
local words = part "words"

local sub, huge = string.sub, math.huge

local SOL, TCP = luring.SOL_SOCKET, luring.IPPROTO_TCP

local Options = {}

local OPTIONS = {
    ["keepalive"] = { SOL, luring.SO_KEEPALIVE, "boolean" },
    ["reuseaddr"] = { SOL, luring.SO_REUSEADDR, "boolean" },
    ["reuseport"] = { SOL, luring.SO_REUSEPORT, "boolean" },
    ["linger"] = { SOL, luring.SO_LINGER, "table" },
    ["tcp-nodelay"] = { TCP, luring.TCP_NODELAY, "boolean" },
    ["tcp-keepidle"] = { TCP, luring.TCP_KEEPIDLE, "number" },
    ["tcp-keepcnt"] = { TCP, luring.TCP_KEEPCNT, "number" },
    ["tcp-keepintvl"] = { TCP, luring.TCP_KEEPINTVL, "number" },
    ["ipv6-v6only"] = { luring.IPPROTO_IPV6, luring.IPV6_V6ONLY, "boolean" },
}

-- ---- linger, which is two ints ----

-- The bytes of a C int, in the machine's order, which an option shows whose value is 1.
local function is_little(fd)
    return luring.getsockopt_bytes(fd, SOL, luring.SO_TYPE, 4):byte(1) == luring.SOCK_STREAM
end

local function int_bytes(fd, n)
    local bytes = string.char(n % 256, math.floor(n / 256) % 256, math.floor(n / 65536) % 256, 0)
    return is_little(fd) and bytes or bytes:reverse()
end

local function bytes_int(fd, bytes)
    if not is_little(fd) then bytes = bytes:reverse() end
    local a, b, c = bytes:byte(1, 3)
    return a + b * 256 + c * 65536
end

local function set(fd, name, value)
    local option = OPTIONS[name]
    if option[3] == "boolean" then value = value and 1 or 0 end
    if option[3] == "table" then value = int_bytes(fd, value.on and 1 or 0) .. int_bytes(fd, value.timeout) end
    local res = luring.setsockopt(fd, option[1], option[2], value)
    if res < 0 then return nil, "setsockopt failed" end
    return 1
end

-- A number without its fraction, as LuaSocket takes it, or nil for what is none.
local function whole(value)
    local number = tonumber(value)
    if number and math.abs(number) < huge then return number - number % 1 end
    return number
end

-- The value that an option is given, as it is set. Raises for another kind of it.
local function checked(kind, given)
    local value = kind == "number" and whole(given) or given
    if type(value) ~= kind then words.bad_argument(2, "setoption", kind .. " expected, got " .. type(given)) end
    if kind ~= "table" then return value end
    local timeout = whole(value.timeout)
    if type(value.on) ~= "boolean" then words.bad_argument(2, "setoption", "boolean 'on' field expected") end
    if not timeout then words.bad_argument(2, "setoption", "number 'timeout' field expected") end
    return { on = value.on, timeout = timeout }
end

-- Whether the kernel is asked at all: what has no room in its numbers would be another value.
local function fits(value)
    if type(value) == "number" then return math.abs(value) < 2 ^ 31 end
    return type(value) ~= "table" or value.timeout >= 0 and value.timeout < 2 ^ 24
end

-- Sets an option, at once or as soon as there is a connection.
function Options:setoption(name, value)
    local option = OPTIONS[name]
    if not option then words.bad_argument(1, "setoption", "unsupported option `" .. tostring(name) .. "'") end
    value = checked(option[3], value)
    if not fits(value) then return nil, "setsockopt failed" end
    local fd = self:getfd()
    if fd >= 0 then return set(fd, name, value) end
    if self.state ~= "master" then return nil, "setsockopt failed" end
    self.options[name] = value
    return 1
end

function Options:getoption(name)
    local fd = self:getfd()
    if name == "error" then
        local errno = luring.getsockopt(fd, SOL, luring.SO_ERROR)
        if errno < 0 then return nil, "getsockopt failed" end
        return errno > 0 and words.of(errno) or nil
    end
    local option = OPTIONS[name]
    if not option then words.bad_argument(1, "getoption", "unsupported option `" .. tostring(name) .. "'") end
    if fd < 0 then return nil, "getsockopt failed" end
    if option[3] == "table" then
        local bytes = luring.getsockopt_bytes(fd, option[1], option[2], 8)
        if type(bytes) ~= "string" then return nil, "getsockopt failed" end
        return { on = bytes_int(fd, sub(bytes, 1, 4)) ~= 0, timeout = bytes_int(fd, sub(bytes, 5, 8)) }
    end
    local value = luring.getsockopt(fd, option[1], option[2])
    if value < 0 then return nil, "getsockopt failed" end
    if option[3] == "boolean" then return value ~= 0 end
    return value
end

-- Gives these methods to a class.
local function extend(class)
    for name, method in pairs(Options) do class[name] = method end
end

return { extend = extend, set = set }

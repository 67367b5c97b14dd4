-- What `require "luring.co.socket"` gives: LuaSocket's shape, for libraries written for that. The
-- sockets themselves are in tcp.lua.

local chunks, wall = ...
local luring = require "luring"
local co = require "luring.co"

local parts = { wall = wall }

local function part(name)
    local made = parts[name]
    if not made then
        made = chunks[name](part)
        parts[name] = made
    end
    return made
end

local tcp, words = part "tcp", part "words"

local socket = {
    _VERSION = "LuaSocket 3.0.0 (" .. luring._VERSION .. ")",
    _SOCKETINVALID = -1,
    BLOCKSIZE = 2048,
    sourcet = {},
    sinkt = {},
    dns = {},
    gettime = wall,
}

function socket.tcp() return tcp.new() end
function socket.tcp4() return tcp.new(luring.AF_INET) end
function socket.tcp6() return tcp.new(luring.AF_INET6) end

function socket.sleep(seconds)
    co.sleep(tonumber(seconds) or seconds)
end

-- The arguments behind the first n.
function socket.skip(n, ...)
    local count = tonumber(n)
    if not (count and count >= 0 and count % 1 == 0) then words.bad_argument(1, "skip", "number expected") end
    if count < select("#", ...) then return select(count + 1, ...) end
end

-- ---- connections ----

function socket.connect(host, port, from, from_port)
    local self = tcp.new()
    if from then
        local bound, why = self:bind(from, from_port or 0)
        if not bound then return nil, why end
    end
    local connected, why = self:connect(host, port)
    if not connected then return nil, why end
    return self
end

socket.connect4, socket.connect6 = socket.connect, socket.connect

function socket.bind(host, port, backlog)
    local number, why = tcp.port(host, port, "bind")
    if not number then return nil, why end
    local self = tcp.new()
    number, why = tcp.bind(self, host, number, backlog)
    if not number then return nil, why end
    self:listen()
    return self
end

-- ---- errors ----

-- What `try` raises, and `protect` makes nil and a message of.
local Exception = {}

function Exception:__tostring()
    return tostring(self[1])
end

-- A function that gives its arguments, or raises the second if the first is nil or false.
function socket.newtry(finalizer)
    return function(...)
        local value, why = ...
        if value then return ... end
        if finalizer then co.pcall(finalizer) end -- what goes wrong in it is not told, as LuaSocket has it
        error(setmetatable({ why }, Exception), 0)
    end
end

socket.try = socket.newtry()

local function results(ok, ...)
    if ok then return ... end
    local err = ...
    if type(err) == "table" and getmetatable(err) == Exception then return nil, err[1] end
    error(err, 0)
end

-- The function that calls `f`, and gives nil and the message of what `try` raises in it.
function socket.protect(f)
    return function(...)
        return results(co.pcall(f, ...))
    end
end

-- ---- sources and sinks, as ltn12 has them ----

-- A function that makes the kind that it is given the name of, or the default.
function socket.choose(kinds)
    return function(name, ...)
        if type(name) ~= "string" then return kinds.default(name, ...) end
        local make = kinds[name]
        if not make then part "place".raise("unknown key (" .. name .. ")") end
        return make(...)
    end
end

-- Something to be called that is waited for as its socket is.
local function callable(sock, f)
    return setmetatable({
        getfd = function() return sock:getfd() end,
        dirty = function() return sock:dirty() end,
    }, { __call = f })
end

socket.sinkt["keep-open"] = function(sock)
    return callable(sock, function(_, chunk)
        if not chunk then return 1 end
        return sock:send(chunk)
    end)
end

socket.sinkt["close-when-done"] = function(sock)
    return callable(sock, function(_, chunk)
        if chunk then return sock:send(chunk) end
        sock:close()
        return 1
    end)
end

socket.sourcet["by-length"] = function(sock, length)
    return callable(sock, function()
        if length <= 0 then return nil end
        local chunk, why = sock:receive(math.min(length, socket.BLOCKSIZE))
        if not chunk then return nil, why end
        length = length - #chunk
        return chunk
    end)
end

socket.sourcet["until-closed"] = function(sock)
    local over = false
    return callable(sock, function()
        if over then return nil end
        local chunk, why, rest = sock:receive(socket.BLOCKSIZE)
        if chunk then return chunk end
        if why ~= "closed" then return nil, why end
        over = true
        sock:close()
        return rest
    end)
end

socket.sinkt.default = socket.sinkt["keep-open"]
socket.sourcet.default = socket.sourcet["until-closed"]
socket.sink = socket.choose(socket.sinkt)
socket.source = socket.choose(socket.sourcet)

-- ---- select ----

-- Raises for what is no list of sockets.
local function check_list(list, place)
    local function check(x, other)
        if type(x) == "table" or type(x) == other then return end
        words.bad_argument(place, "select", "a list of sockets expected")
    end
    check(list, "nil")
    for _, sock in ipairs(list or {}) do check(sock, "userdata") end
end

-- Adds the sockets of a list to what is waited for; those that have something already are ready.
local function collect(list, mode, wanted, ready)
    for _, sock in ipairs(list or {}) do
        local fd = sock.getfd and sock:getfd() -- what has none is never ready
        if mode == "r" and sock.dirty and sock:dirty() then
            ready[#ready + 1], ready[sock] = sock, #ready + 1
        elseif fd and fd >= 0 then
            wanted[#wanted + 1] = { fd, mode, sock, ready }
        end
    end
end

-- The sockets that can be read from and written to, each list with their places in it as well.
function socket.select(readers, writers, seconds)
    check_list(readers, 1)
    check_list(writers, 2)
    if seconds ~= nil and not tonumber(seconds) then words.bad_argument(3, "select", "number expected") end
    local wanted, readable, writable = {}, {}, {}
    collect(readers, "r", wanted, readable)
    collect(writers, "w", wanted, writable)
    seconds = tonumber(seconds)
    if seconds and seconds < 0 then seconds = nil end
    if #readable > 0 then seconds = 0 end
    local found = tcp.ready(wanted, seconds)
    for place, want in ipairs(wanted) do
        local sock, ready = want[3], want[4]
        if found[place] then ready[#ready + 1], ready[sock] = sock, #ready + 1 end
    end
    if #readable == 0 and #writable == 0 then return readable, writable, "timeout" end
    return readable, writable
end

-- ---- names ----

local KINDS = { [luring.AF_INET] = "inet", [luring.AF_INET6] = "inet6" }

local function addresses_of(host, name)
    tcp.check_host(host, name)
    local list, _, errno = co.resolve(host)
    if not list then return nil, words.of_host(host, errno) end
    local addresses = {}
    for place, each in ipairs(list) do addresses[place] = { family = KINDS[each.family], addr = each.addr } end
    return addresses
end

-- The addresses of a host.
function socket.dns.getaddrinfo(host)
    return addresses_of(host, "getaddrinfo")
end

-- The first IPv4 address of a host, and a table that has them all.
function socket.dns.toip(host)
    local all = {}
    for _, each in ipairs(addresses_of(host, "toip") or {}) do
        if each.family == "inet" then all[#all + 1] = each.addr end
    end
    if #all == 0 then return nil, "host not found" end
    return all[1], { name = host, alias = {}, ip = all }
end

function socket.dns.gethostname()
    local file = assert(io.open("/proc/sys/kernel/hostname", "r"))
    local name = file:read("*l")
    file:close()
    return name
end

return socket

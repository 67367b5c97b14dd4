-- Sockets of LuaSocket's shape, on streams and servers.
--
-- The fields of a stream that are set here and in receiving.lua are those that its reads and writes look
-- at: the shape's timeouts are for a call as a whole, and 0 is for what is there.

local luring = require "luring"
local co = require "luring.co"
local part = ...
local address = part "address"
local reading = part "reading"
local receiving = part "receiving"
local sockopt = part "sockopt"
local wall = part "wall"
local words = part "words"

local find, sub, min = string.find, string.sub, math.min
local bad_argument = words.bad_argument
local raise = part "place".raise

local tcp = {}

local Socket = {}
Socket.__index = Socket
receiving.extend(Socket)
sockopt.extend(Socket)

-- Raises unless it is in that state.
function Socket:check(state, name)
    if self.state ~= state then
        raise(("bad argument #1 to '%s' (tcp{%s} expected)"):format(name, state))
    end
end

-- Raises what is wrong with a host.
function tcp.check_host(host, name)
    if type(host) ~= "string" then bad_argument(1, name, "string expected") end
    if find(host, "\0", 1, true) and not find(host, "^unix:") then
        bad_argument(1, name, "a host's name or address expected")
    end
end

-- The number of a port or of a service, or nil and why there is none.
function tcp.port(host, port, name)
    tcp.check_host(host, name)
    if find(host, "^unix:") then return 0 end
    local number = tonumber(port)
    if number and number >= 0 and number <= 65535 and number % 1 == 0 then return number end
    if number then return nil, "service not supported for socket type" end
    if type(port) ~= "string" then bad_argument(2, name, "a port expected") end
    local list = co.resolve("127.0.0.1", port)
    if not list then return nil, "service not supported for socket type" end
    return list[1].port
end

-- ---- timeouts ----

local function seconds_of(value)
    local seconds = tonumber(value)
    if value ~= nil and not seconds then bad_argument(1, "settimeout", "number expected") end
    -- Less than none is for ever.
    return seconds and seconds >= 0 and seconds < math.huge and seconds or nil
end

local MODES = { b = "block", t = "total", r = "total" } -- by the first letter: "block" and "total" will do

-- How long a call may take. Both kinds are counted from its beginning.
function Socket:settimeout(value, mode)
    local kind = MODES[sub(tostring(mode or "b"), 1, 1)]
    if not kind then bad_argument(2, "settimeout", "invalid timeout mode") end
    self[kind] = seconds_of(value)
    return 1
end

function Socket:gettimeout()
    return self.block or -1, self.total or -1
end

-- How many seconds a call has; nil is for ever.
function Socket:allowed()
    local block, total = self.block, self.total
    return block and total and min(block, total) or block or total
end

-- ---- writing ----

-- A place in a string, or false.
local function place_of(value)
    local place = tonumber(value)
    return place and place - place == 0 and place - place % 1
end

-- Sends data from its i-th byte to its j-th: the place of the last one that was sent, or nil, why and
-- that place.
function Socket:send(data, i, j)
    self:check("client", "send")
    if type(data) == "number" then data = tostring(data) end
    if type(data) ~= "string" then bad_argument(1, "send", "string expected, got " .. type(data)) end
    local length = #data
    i, j = i or 1, j or -1
    if i ~= 1 or j ~= -1 then
        i, j = place_of(i), place_of(j)
        if not i or not j then bad_argument(i and 3 or 2, "send", "number expected") end
    end
    if i < 0 then i = length + i + 1 end
    if j < 0 then j = length + j + 1 end
    if i < 1 then i = 1 end
    if j > length then j = length end
    if i > j then return i - 1 end
    local stream = self.stream
    if not stream then return nil, "closed", i - 1 end
    local seconds = self:allowed()
    stream.put_flags = seconds == 0 and luring.MSG_DONTWAIT or luring.MSG_WAITALL
    stream.write_seconds = seconds ~= 0 and seconds or nil
    if seconds then stream.odd = true end
    if i > 1 or j < length then data = sub(data, i, j) end
    local done, _, errno, written = stream:write(data)
    if done then
        self.sent = self.sent + (j - i + 1)
        return j
    end
    -- The caller is told how far it came, and may go on from there.
    stream.torn = false
    self.sent = self.sent + written
    return nil, words.of(errno), i - 1 + written
end

-- ---- connecting and listening ----

-- A socket, of a family if there is one: it knows no other's addresses.
function tcp.new(family)
    return setmetatable({
        state = "master", family = family, options = {}, buf = "", at = 1, size = 0, received = 0, sent = 0,
        born = wall(),
    }, Socket)
end

-- The hosts that a socket tries for one: its addresses, where the socket has a family.
local function hosts_of(self, host)
    local family, hosts = self.family, {}
    if not family or find(host, "^unix:") then return { host } end
    if host == "*" then return { family == luring.AF_INET6 and "::" or "0.0.0.0" } end
    local list, _, errno = address.known(host)
    if not list then list, _, errno = co.resolve(host) end
    if not list then return nil, words.of_host(host, errno) end
    for _, each in ipairs(list) do
        if each.family == family then hosts[#hosts + 1] = each.addr end
    end
    if #hosts > 0 then return hosts end
    return nil, words.of_family(list[1].addr == host)
end

local function of_stream(stream)
    local self = tcp.new()
    self.state, self.stream = "client", stream
    return self
end

-- Connects from an address of this machine, if there is one.
local function connect(self, host, port, from)
    local hosts, why = hosts_of(self, host)
    if not hosts then return nil, why end
    local seconds = self:allowed()
    local stream, _, errno
    for place = 1, #hosts do
        stream, _, errno = co.connect(hosts[place], port, { timeout = seconds, bind = from })
        if stream then break end
    end
    if not stream then return nil, words.of_host(host, errno) end
    for name, value in pairs(self.options) do sockopt.set(stream:getfd(), name, value) end
    self.state, self.stream = "client", stream
    return 1
end

function Socket:connect(host, port)
    if self.state == "client" and self.stream then return nil, "already connected" end
    -- What the kernel says of one that listens.
    if self.state == "server" then return nil, self.server and "already connected" or "closed" end
    local number, why = tcp.port(host, port, "connect")
    if not number then return nil, why end
    local from
    if self.server then
        if self.chosen then raise("connecting from a port that was chosen is not supported") end
        from = self.server:address()
        self.server:close()
        self.server = nil
    end
    return connect(self, host, number, from)
end

-- Binds to an address. It listens from here on: co has no socket that is bound alone.
function tcp.bind(self, host, port, backlog)
    if self.state ~= "master" or self.server then return nil, luring.strerror(luring.EINVAL) end
    local hosts, why = hosts_of(self, host)
    if not hosts then return nil, why end
    -- An IPv6 address is for IPv6 alone, unless the program says otherwise.
    local v6only = self.options["ipv6-v6only"]
    if v6only == nil and find(hosts[1], ":", 1, true) and not find(hosts[1], "^unix:") then v6only = true end
    local server, _, errno = co.listen(hosts[1], port, {
        backlog = backlog, reuseport = self.options.reuseport, v6only = v6only,
    })
    if not server then return nil, words.of_host(host, errno) end
    self.server, self.chosen = server, port ~= 0
    for name, value in pairs(self.options) do sockopt.set(server:getfd(), name, value) end
    return 1
end

function Socket:bind(host, port)
    local number, why = tcp.port(host, port, "bind")
    if not number then return nil, why end
    return tcp.bind(self, host, number)
end

function Socket:listen()
    if self.state == "master" and not self.server then
        local bound, why = tcp.bind(self, "*", 0)
        if not bound then return nil, why end
    end
    if self.state == "client" then return nil, luring.strerror(luring.EINVAL) end
    self.state = "server"
    return 1
end

-- Which of these are ready, by their places: each has a descriptor, and "r" or "w". It waits until
-- one is, or for so many seconds.
function tcp.ready(wanted, seconds)
    local found = {}
    co.scope(function(s)
        local first = co.event()
        for place, want in ipairs(wanted) do
            s:spawn(function()
                co.poll(want[1], want[2])
                found[place] = true
                first:set()
            end)
        end
        if not seconds or seconds > 0 then co.timeout(seconds or math.huge, first.wait, first) end
        if not next(found) then
            -- They ask in the next turn, and what is ready by then answers at its end.
            co.sleep(0)
            co.sleep(0)
        end
        s:cancel()
    end)
    return found
end

function Socket:accept()
    self:check("server", "accept")
    local server = self.server
    if not server then return nil, "closed" end
    local seconds = self:allowed()
    local stream, _, errno = nil, nil, luring.ETIMEDOUT
    if seconds and seconds > 0 then stream, _, errno = co.timeout(seconds, server.accept, server) end
    -- What has come is taken without waiting, also where the time has passed before it could ask.
    if not stream and errno == luring.ETIMEDOUT
        and (not seconds or tcp.ready({ { server:getfd(), "r" } }, 0)[1]) then
        stream, _, errno = server:accept()
    end
    if not stream then return nil, words.of(errno) end
    return of_stream(stream)
end

-- ---- the rest ----

function Socket:getfd()
    local behind = self.stream or self.server
    return behind and behind:getfd() or -1
end

-- Takes the descriptor of a connection, or with -1 forgets its own, which stays open.
function Socket:setfd(fd)
    if type(fd) ~= "number" or not pcall(luring.fileno, fd) then
        bad_argument(1, "setfd", "a descriptor's number expected")
    end
    if self.server then raise("a server keeps its descriptor") end
    if fd >= 0 and luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_TYPE) ~= luring.SOCK_STREAM then
        bad_argument(1, "setfd", "a connection's descriptor expected")
    end
    if self.stream then self.stream:release() end
    self.stream = nil
    if fd >= 0 then self.state, self.stream = "client", co.stream(fd) end
end

local FAMILIES = { [luring.AF_INET] = "inet", [luring.AF_INET6] = "inet6", [luring.AF_UNIX] = "unix" }

local function name_of(addr)
    if type(addr) == "number" then return nil, luring.strerror(-addr) end
    if addr.family == luring.AF_UNIX then return "unix:" .. (addr.path or ""), nil, "unix" end
    return addr.addr, addr.port, FAMILIES[addr.family]
end

function Socket:getpeername()
    local fd = self:getfd()
    if fd < 0 then return nil, words.BAD_DESCRIPTOR end
    return name_of(luring.getpeername(fd))
end

-- LuaSocket has the port as a string here, and as a number there.
function Socket:getsockname()
    local fd = self:getfd()
    if fd < 0 then return nil, words.BAD_DESCRIPTOR end
    local host, port, family = name_of(luring.getsockname(fd))
    if not host or not family then return host, port end
    return host, port and ("%d"):format(port), family
end

local HOW = { send = luring.SHUT_WR, receive = luring.SHUT_RD, both = luring.SHUT_RDWR }

function Socket:shutdown(mode)
    local how = HOW[mode or "both"]
    if not how then bad_argument(1, "shutdown", "invalid option '" .. tostring(mode) .. "'") end
    local fd = self:getfd()
    if fd >= 0 then luring.shutdown_fd(fd, how) end
    return 1
end

function Socket:close()
    local stream, server = self.stream, self.server
    self.stream, self.server, self.received = nil, nil, self.received - self.size
    reading.forget(self)
    if stream then stream:close() end
    if server then server:close() end
    return 1
end

-- How many bytes were received and sent, and for how many seconds it has been there. What was read ahead has
-- not been received, as far as the program knows.
function Socket:getstats()
    return self.received - self.size, self.sent, wall() - self.born
end

local function stat(value, place)
    local number = tonumber(value)
    if value ~= nil and not number then bad_argument(place, "setstats", "number expected") end
    return number
end

function Socket:setstats(received, sent, age)
    received, sent, age = stat(received, 1), stat(sent, 2), stat(age, 3)
    if received then self.received = received + self.size end
    if sent then self.sent = sent end
    if age then self.born = wall() - age end
    return 1
end

function Socket:__tostring()
    return ("tcp{%s}: %s"):format(self.state, tostring(self.options):match("0x%x+"))
end

return tcp

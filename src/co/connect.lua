-- Connections that a program makes.

local luring = require "luring"
local part = ...
local address = part "address"
local failure = part "failure"
local group = part "group"
local options_of = part "options"
local resolve = part "resolve"
local scope = part "scope"
local stream = part "stream"
local task = part "task"
local raise = part "place".raise

local connect = { public = {} }

local OPTIONS = { timeout = true, nodelay = true, bind = true }

-- How many seconds an address has before the next one is tried as well: RFC 8305, section 5.
local HEAD_START = 0.25

-- Makes the socket of a stream that is to be connected to an address: 0, or -errno.
local function open_socket(s, addr, options)
    local from = options.bind and address.known(options.bind, 0)[1]
    local fd = luring.socket_fd(addr.family, luring.SOCK_STREAM)
    if fd < 0 then return fd end
    s.fd = fd
    if addr.family == luring.AF_UNIX then return 0 end
    local res = 0
    if options.nodelay then res = luring.setsockopt(fd, luring.IPPROTO_TCP, luring.TCP_NODELAY, 1) end
    if res >= 0 and from then res = luring.bind_fd(fd, from) end
    return res
end

-- A stream, or nil, message, errno. A cancellation is one of these.
local function dial_bare(t, addr, options)
    local s = scope.own(stream.of_socket(false))
    local res = open_socket(s, addr, options)
    if res >= 0 then res = task.wait_bare(t, luring.connect, s.fd, addr, t.done or t:done_of()) end
    if res >= 0 then return s end
    s:close()
    scope.disown(s)
    return failure.refused(res)
end

local function dial(addr, options)
    local t = task.me()
    task.about_to_park(t)
    local s, message, errno = dial_bare(t, addr, options)
    if not s then task.check(t) end
    return s, message, errno
end

-- The families in turn, as the first address has it: RFC 8305, section 4.
local function in_turn(list)
    local first, other, mixed = {}, {}, {}
    for _, addr in ipairs(list) do
        local same = addr.family == list[1].family
        table.insert(same and first or other, addr)
    end
    for place = 1, math.max(#first, #other) do
        mixed[#mixed + 1] = first[place]
        mixed[#mixed + 1] = other[place]
    end
    return mixed
end

-- Lets the next address go ahead.
local Start = {}
Start.__index = Start
function Start:due() self.next:set() end

-- Tries the addresses one after the other, each when the one before has failed or had its head start.
-- The first connection that comes is taken; when none does, the first failure tells why.
local function race(list, options)
    local loop = task.me().loop
    local new_event = part("event").public.event
    local starts, attempts, failures = {}, {}, {}
    local winner
    for place, addr in ipairs(list) do
        starts[place] = setmetatable({ next = new_event() }, Start)
        attempts[place] = function()
            if place > 1 then starts[place - 1].next:wait() end
            local t, start = task.me(), starts[place]
            loop.deadlines:add(start, loop:now() + HEAD_START)
            local s, message, errno = dial_bare(t, addr, options)
            loop.deadlines:remove(start)
            if s and winner then
                s:close()
            elseif s then
                winner = s
                return true
            end
            task.check(t)
            failures[place] = { message, errno }
            start.next:set()
            return nil, message, errno
        end
    end
    local child = group.call(group.public.any, attempts)
    -- Though it may have been cancelled meanwhile: nobody else has the connection.
    if winner then return winner end
    group.results(task.me(), child)
    return nil, failures[1][1], failures[1][2]
end

local function connected(host, port, options)
    local list, message, errno = resolve.addresses(host, port)
    if not list then return nil, message, errno, true end
    if #list == 1 then return dial(list[1], options) end
    return race(in_turn(list), options)
end

function connect.public.connect(host, port, options)
    address.check(host, port, "connect")
    options = options or {}
    options_of.check(options, OPTIONS, 3, "connect")
    if options.bind ~= nil and (type(options.bind) ~= "string" or not address.known(options.bind, 0)) then
        raise("bad option 'bind' (a numeric address expected)")
    end
    options_of.check_number(options.timeout, "timeout")
    local s, message, errno, named
    if options.timeout then
        s, message, errno, named = group.public.timeout(options.timeout, connected, host, port, options)
    else
        s, message, errno, named = connected(host, port, options)
    end
    if s then return s end
    return nil, named and message or host .. ": " .. message, errno
end

return connect
